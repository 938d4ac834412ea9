import { once } from "node:events";
import { PassThrough } from "node:stream";
import type { Engine } from "../../src/engine/engine.ts";

const script = `sysopen(F, "/etc/.pwd.lock", O_WRONLY | O_CREAT, 0600); my $lock = pack("s s x60", F_WRLCK, 0);
  fcntl(F, F_SETLKW, $lock) or die; syswrite(STDOUT, "held"); sleep(100)`;

/** Makes a program in a running container hold the account lock, as useradd does, until disposed. */
export async function holdAccountLock(engine: Engine, container: string): Promise<AsyncDisposable> {
  const command = ["perl", "-MFcntl", "-e", script];
  const session = await engine.exec(container, { command, stdin: new PassThrough() });
  await Promise.race([once(session.stdout, "data"), session.exitCode]);
  return session;
}
