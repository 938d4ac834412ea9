import { once } from "node:events";
import { PassThrough } from "node:stream";
import type { Logger } from "../../base/logger.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import type { ExecSession } from "../../engine/exec/exec-session.ts";

/** How long to wait for the container's own programs to release the lock. */
const WAIT_TIMEOUT_S = 4;
/** The program in the container releases the lock after this, in case that the daemon dies. */
const MAX_HOLD_S = 30;

/*
 * lckpwdf(3) takes an fcntl(2) write lock on the whole of /etc/.pwd.lock; no shell tool can take one. All but the
 * first two fields of struct flock are 0, so their offsets, which differ between machines, do not matter. SIGALRM
 * ends a program that waits for too long.
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
 * Takes the lock that programs in a running container hold while they change its accounts, until disposed. Throws
 * `busy` if another program keeps it. A container without perl and python3 (Alpine) cannot take the lock, and its
 * own tools do not take it either: there only the comparison in replaceAccountFiles detects a concurrent change.
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
        `another program in ${container} changes its accounts: no lock within ${WAIT_TIMEOUT_S} s; try again later`,
      );
    }
    log.debug({ container, program: command[0], exitCode }, "cannot lock the accounts with this program");
  }
  return { [Symbol.asyncDispose]: async () => undefined };
}

/** Undefined once the program holds the lock, else its exit code. */
async function waitForLock(session: ExecSession): Promise<number | undefined> {
  const locked = once(session.stdout, "data").then(() => undefined);
  locked.catch(() => undefined);
  return Promise.race([locked, session.exitCode]);
}
