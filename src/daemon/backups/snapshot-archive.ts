import { join } from "node:path";
import type { Clock } from "../../base/async/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { IdMap } from "../guest/id-map.ts";
import { countFiles, packArchiveHead } from "./archive-head.ts";
import type { ExportMeter } from "./export-meter.ts";
import { readAhead } from "./read-ahead.ts";
import { UserNamespace } from "./sandbox.ts";
import { Subprocess } from "./subprocess.ts";

/**
 * Owners as numbers, every extended attribute and ACL, holes as holes; names as the image format has them, in
 * links too unless they are symbolic, whose text is nobody's business. Times but that of the last change of the
 * content say nothing about a container that is made anew from this.
 */
const TAR = [
  "tar",
  "--create",
  "--file=-",
  "--blocking-factor=512",
  "--format=posix",
  "--pax-option=delete=atime,delete=ctime",
  "--numeric-owner",
  "--xattrs",
  "--xattrs-include=*",
  "--acls",
  "--sparse",
  "--transform=flags=rSh;s,^\\.,rootfs,",
  "--verbose",
  ".",
] as const;

const SOCKET = /: socket ignored$/;

/** A snapshot whose files lie on this machine. */
export interface LocalSnapshot {
  /** See snapshotFolder. */
  readonly folder: string;
  /** Of the owners on the disk. */
  readonly idMap: IdMap;
  /** The engine's word for it. */
  readonly architecture: string;
}

export interface ArchiveOptions {
  readonly meter: ExportMeter;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** The archive of a snapshot that is ready to be streamed. */
export interface SnapshotArchive extends AsyncDisposable {
  /** Writes it to the input of another program, and ends that input. */
  stream(into: Subprocess, signal: AbortSignal): Promise<void>;
}

/**
 * The unified image of a snapshot as one tar (behaviour.md 11), with the owners, capabilities and ACLs that the
 * container sees. Its files are only read inside a user namespace with the id map of the container: a name or
 * link that the container planted leads to nothing that its own root could not read.
 */
export async function openSnapshotArchive(
  { folder, idMap, architecture }: LocalSnapshot,
  { meter, clock, signal, log }: ArchiveOptions,
): Promise<SnapshotArchive> {
  await using stack = new AsyncDisposableStack();
  const namespace = stack.use(await UserNamespace.open(idMap));
  const rootfs = join(folder, "rootfs");
  const [head, body] = await Promise.all([
    packArchiveHead(folder, architecture, signal),
    countFiles(namespace.command("find", "."), rootfs, signal),
  ]);
  meter.expect({ files: head.files + body.files, bytes: head.bytes + body.bytes });
  const held = stack.move();
  return {
    async stream(into, signal) {
      await new Promise<void>((resolve, reject) => {
        into.stdin.write(head.tar, (error) => (error ? reject(error) : resolve()));
      });
      meter.countFiles(head.files);
      let sockets = 0;
      const news = (line: string): boolean => {
        if (line.startsWith("./")) meter.countFiles(1);
        else if (SOCKET.test(line)) sockets++;
        else return false;
        return true;
      };
      const packed = new AbortController();
      await using packing = Subprocess.start(
        namespace.command(...TAR),
        { cwd: rootfs, signal, output: into.stdin, consumeLine: news },
        "tar",
      );
      // It has its own end of it now. Ours must go without the word that no more will come.
      into.stdin.destroy();
      // It only makes the work faster: without it the same is read.
      const ahead = readAhead({
        namespace,
        folder: rootfs,
        bytesRead: () => Number(meter.read().inputBytesStreamed),
        clock,
        signal: AbortSignal.any([signal, packed.signal]),
      }).catch(() => undefined);
      await packing.succeeded().finally(() => packed.abort());
      await ahead;
      if (sockets > 0) log.info({ sockets }, "sockets were left out of the backup: no archive can hold them");
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}
