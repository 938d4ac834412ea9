import { lstat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../base/async/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { type IdMap, toContainerId } from "../guest/id-map.ts";
import { UserNamespace } from "../guest/user-namespace.ts";
import { countFiles, packArchiveHead } from "./archive-head.ts";
import type { ExportMeter } from "./export-meter.ts";
import { LeftOut } from "./left-out.ts";
import { readAhead } from "./read-ahead.ts";
import { Subprocess } from "./subprocess.ts";

/**
 * Numeric owners, all extended attributes and ACLs, sparse files. Names, and targets of hard links, get the prefix of
 * the image format; targets of symbolic links stay. Only the modification time is kept: the other times mean nothing
 * for a container that is created from the backup.
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
  // What cannot be read is reported (left-out.ts).
  "--ignore-failed-read",
  "--transform=flags=rSh;s,^\\.,rootfs,",
  "--verbose",
  ".",
] as const;

/** Tar's exit code when files changed or vanished while it read them. */
const SOME_DIFFER = 1;

/** A snapshot whose files are on this machine. */
export interface LocalSnapshot {
  /** See snapshotFolder. */
  readonly folder: string;
  /** The id map with which the files are stored. */
  readonly idMap: IdMap;
  /** The engine's name for it, for example "x86_64". */
  readonly architecture: string;
}

export interface ArchiveOptions {
  readonly meter: ExportMeter;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** The archive of a snapshot, ready to be streamed. */
export interface SnapshotArchive extends AsyncDisposable {
  /** Writes the archive to the input of another program, and ends the input. */
  stream(into: Subprocess, signal: AbortSignal): Promise<void>;
  /** What was left out of it, as a sentence for people; empty for nothing. */
  remark(): string;
}

/**
 * The unified image of a snapshot as one tar (docs/contract.md#backup-file-format), with the owners, capabilities and
 * ACLs that the container sees. Its files are only read inside a user namespace with the container's id map: no name
 * or link in the container can reach a file that the container's own root cannot read.
 */
export async function openSnapshotArchive(
  { folder, idMap, architecture }: LocalSnapshot,
  { meter, clock, signal, log }: ArchiveOptions,
): Promise<SnapshotArchive> {
  await using stack = new AsyncDisposableStack();
  const namespace = stack.use(await UserNamespace.open(idMap));
  const rootfs = join(folder, "rootfs");
  await assertOwned(rootfs, idMap);
  const [head, body] = await Promise.all([
    packArchiveHead(folder, architecture, signal),
    countFiles(namespace.command("find", "."), rootfs, signal),
  ]);
  meter.expect({ files: head.files + body.files, bytes: head.bytes + body.bytes });
  const leftOut = new LeftOut();
  const held = stack.move();
  return {
    remark: () => leftOut.remark(),
    async stream(into, signal) {
      await new Promise<void>((resolve, reject) => {
        into.stdin.write(head.tar, (error) => (error ? reject(error) : resolve()));
      });
      meter.countFiles(head.files);
      let isRead = false;
      const consumeLine = (line: string): boolean => {
        if (!line.startsWith("./")) return leftOut.consumeLine(line);
        isRead = true;
        meter.countFiles(1);
        return true;
      };
      const packed = new AbortController();
      await using packing = Subprocess.start(
        namespace.command(...TAR),
        { cwd: rootfs, signal, output: into.stdin, consumeLine },
        "tar",
      );
      // The child has its own copy of the pipe. Destroyed, not ended: the child may still write.
      into.stdin.destroy();
      // Only for speed, so errors are ignored.
      const ahead = readAhead({
        namespace,
        folder: rootfs,
        bytesRead: () => Number(meter.read().inputBytesStreamed),
        clock,
        signal: AbortSignal.any([signal, packed.signal]),
      }).catch(() => undefined);
      await packing.succeeded(SOME_DIFFER).finally(() => packed.abort());
      await ahead;
      if (!isRead) throw new TremplinError("failed", "the container's root folder cannot be read; see dmesg");
      leftOut.report(log);
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/** Throws `failed` where the container's root could not read its own files, and the backup would be an empty one. */
async function assertOwned(rootfs: string, idMap: IdMap): Promise<void> {
  const { uid } = await lstat(rootfs);
  if (idMap.uid.length === 0 || toContainerId(idMap, "uid", uid) !== undefined) return;
  throw new TremplinError(
    "failed",
    `the container's root folder belongs to id ${uid}, which is outside of the container's ids; start the container once, so that the engine shifts them, and export it again`,
  );
}
