import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { Locks } from "../../src/daemon/operations/runner/locks.ts";
import { copyFiles } from "../../src/daemon/rpc/copy-files.ts";
import type { RpcDeps } from "../../src/daemon/rpc/rpc.ts";
import { CommandLineFixture, type RecordedIo } from "./command-line.ts";
import { ContainerActions } from "./container-actions.ts";
import { MemoryEngine } from "./memory-engine/memory-engine.ts";
import { tinyImageBytes } from "./memory-engine/tiny-image-bytes.ts";

const ids = { anna: 1000, www: 33 } as const;

/** A command line that reaches the files of the containers `web` and `db`, of an engine in memory, and a folder here. */
export class CopyFixture {
  readonly commandLine: CommandLineFixture;
  readonly engine: MemoryEngine;
  readonly locks: Locks;
  /** Of this computer, empty. */
  readonly folder: string;

  private constructor(commandLine: CommandLineFixture, engine: MemoryEngine, locks: Locks, folder: string) {
    this.commandLine = commandLine;
    this.engine = engine;
    this.locks = locks;
    this.folder = folder;
  }

  static async open(t: TestContext): Promise<CopyFixture> {
    const commandLine = await CommandLineFixture.open(t);
    const engine = await MemoryEngine.open();
    const client = await engine.connect();
    t.after(async () => {
      await client[Symbol.asyncDispose]();
      await engine[Symbol.asyncDispose]();
    });
    const actions = new ContainerActions(client, engine.addImage(tinyImageBytes()));
    const locks = new Locks();
    const deps = { engine: { running: () => client }, runner: { locks } } as unknown as RpcDeps;
    commandLine.guest.copies = copyFiles(deps);
    const folder = join(commandLine.folder, "here");
    await mkdir(folder);
    const fixture = new CopyFixture(commandLine, engine, locks, folder);
    for (const name of ["web", "db"]) {
      await actions.create(name);
      const files = fixture.files(name);
      files.write(
        "/etc/passwd",
        `root:x:0:0::/root:/bin/sh\nwww:x:${ids.www}:${ids.www}::/:/bin/sh\nanna:x:${ids.anna}:${ids.anna}::/home/anna:/bin/sh\n`,
      );
      for (const made of ["/home", "/home/anna"]) files.makeFolder(made);
    }
    return fixture;
  }

  files(container: string) {
    return this.engine.instance(container).files;
  }

  /** The path of something in the folder. */
  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  cp(line: string, io?: RecordedIo) {
    return this.commandLine.output(`cp ${line}`, io);
  }
}
