import { once } from "node:events";
import { PassThrough } from "node:stream";
import type { Logger } from "../../base/logger.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import type { ExecSession } from "../../engine/exec/exec-session.ts";

/** How long the container's own programs may keep their lock. Seconds. */
const WAIT_TIMEOUT_S = 4;
/** How long we keep it at most, should nobody tell the program inside to let go. Seconds. */
const MAX_HOLD_S = 30;

/*
 * lckpwdf(3) is a write lock on the whole of /etc/.pwd.lock, of the kind of fcntl(2); no tool of a shell takes
 * one. All but the two first fields of its structure are 0, so their places, which differ between machines, do
 * not matter. SIGALRM ends a program that waits for too long.
 */
const lockPrograms: readonly (readonly string[])[] = [
  [
    "perl",
    "-MFcntl",
    "-e",
    `alarm ${WAIT_TIMEOUT_S}; sysopen(F, "/etc/.pwd.lock", O_WRONLY | O_CREAT, 0600) or exit 3;` +
      `my $lock = pack("s s x60", F_WRLCK, 0); fcntl(F, F_SETLKW, $lock) or exit 3;` +
      `alarm ${MAX_HOLD_S}; syswrite(STDOUT, "locked\\n"); sysread(STDIN, my $end, 1);`,
  ],
  [
    "python3",
    "-c",
    "import fcntl, os, signal\n" +
      `signal.alarm(${WAIT_TIMEOUT_S})\n` +
      "file = os.open('/etc/.pwd.lock', os.O_WRONLY | os.O_CREAT, 0o600)\n" +
      "fcntl.lockf(file, fcntl.LOCK_EX)\n" +
      `signal.alarm(${MAX_HOLD_S})\n` +
      "os.write(1, b'locked\\n')\n" +
      "os.read(0, 1)\n",
  ],
];
const KILLED_BY_SIGALRM = 128 + 14;

/**
 * Takes the lock under which programs of a running container change its accounts, until disposed. Throws
 * `busy` if it never comes free. Where the container has nothing that can take it (no perl, no python3: Alpine)
 * none is held, as its own tools take none either: there only the comparison right before the files are replaced
 * guards against a change at the same time (see replaceAccountFiles).
 */
export async function lockAccounts(
  engine: Engine,
  container: string,
  { signal, log }: { signal: AbortSignal; log: Logger },
): Promise<AsyncDisposable> {
  for (const command of lockPrograms) {
    const stdin = new PassThrough();
    const session = await engine.exec(container, { command, stdin, signal });
    session.stderr.resume();
    const exitCode = await waitForLock(session);
    if (exitCode === undefined) return session;
    if (exitCode === KILLED_BY_SIGALRM) {
      throw new TremplinError(
        "busy",
        `another program in ${container} changes its accounts for more than ${WAIT_TIMEOUT_S} s: try again later`,
      );
    }
    log.debug({ container, program: command[0], exitCode }, "cannot lock the accounts by this");
  }
  return { [Symbol.asyncDispose]: async () => undefined };
}

/** Undefined once the lock is held, else the exit code of the program that could not take it. */
async function waitForLock(session: ExecSession): Promise<number | undefined> {
  const locked = once(session.stdout, "data").then(() => undefined);
  locked.catch(() => undefined);
  return Promise.race([locked, session.exitCode]);
}
