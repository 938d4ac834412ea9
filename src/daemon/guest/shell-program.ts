import { once } from "node:events";
import { PassThrough, type Readable } from "node:stream";
import type { Engine } from "../../engine/engine.ts";
import type { ExecSession, TerminalSize } from "../../engine/exec/exec-session.ts";

/**
 * Runs a login shell, or the program in the arguments, as the account in the first argument; if that is empty, as the
 * primary user (uid 1000), or as root where there is none. Uses nothing that a container with busybox alone lacks: no
 * getent, no bash; without su the primary user's shell is root's. A login shell that the container does not have is
 * replaced by one that it has. A constant: what comes from a request is an argument, and never part of the text.
 *
 * The program gets the account's home as its folder, and no profile is read, whose output would be part of its own. It
 * is an argument of su, and not of su -c, which would take its terminal away.
 */
const SCRIPT = `
wanted=$1
shift
find_user() {
  while IFS=: read -r user password uid gid gecos home shell || [ -n "$user" ]; do
    case $user in "#"* | [+-]*) continue ;; esac
    if [ -n "$wanted" ]; then
      if [ "$user" = "$wanted" ]; then return 0; fi
    elif [ "$uid" = 1000 ]; then return 0; fi
  done
  return 1
}
run='cd 2>/dev/null || cd /
command -v -- "$0" >/dev/null 2>&1 || { echo "tremplin: there is no program $0 in this container" >&2; exit 127; }
exec "$0" "$@"'
a_shell() {
  for program in /bin/bash /usr/bin/bash /run/current-system/sw/bin/bash /bin/ash /bin/sh; do
    if [ -x $program ]; then echo $program; return; fi
  done
}
find_user <<end || { [ -r /etc/passwd ] && find_user < /etc/passwd; } || user=
$(getent passwd "\${wanted:-1000}" 2>/dev/null)
end
if [ -n "$wanted" ]; then
  id -- "$wanted" >/dev/null 2>&1 || [ -n "$user" ] || {
    echo "tremplin: there is no account $wanted in this container" >&2
    exit 1
  }
  user=$wanted
  if [ "$wanted" = root ]; then
    if [ $# -eq 0 ]; then exec "$(a_shell)" -l; fi
    user=
  elif ! command -v su >/dev/null; then
    echo "tremplin: this container has no su to become $wanted; only --user root is possible" >&2
    exit 1
  fi
fi
if [ $# -gt 0 ]; then
  if [ -n "$user" ] && command -v su >/dev/null && id -- "$user" >/dev/null 2>&1; then
    exec su -s /bin/sh -- "$user" -c "$run" "$@"
  fi
  exec /bin/sh -c "$run" "$@"
fi
if [ -n "$user" ] && command -v su >/dev/null && id "$user" >/dev/null 2>&1; then
  if [ -z "$shell" ] || [ -x "$shell" ]; then exec su -l "$user"; fi
  exec su -s "$(a_shell)" -l "$user"
fi
exec "$(a_shell)" -l
`;

/** The command for an account. Without one a program needs no shell in the container. */
export function shellCommand(account: string | undefined, command: readonly string[]): readonly string[] {
  if (account === undefined && command.length > 0) return command;
  return ["/bin/sh", "-c", SCRIPT, "tremplin", account ?? "", ...command];
}

export interface ShellOptions {
  /** The program and its arguments; empty: the login shell. */
  readonly command: readonly string[];
  /** "" is the primary user, or root where there is none. Default: root for a program, "" for the login shell. */
  readonly account: string | undefined;
  /** TERM; empty: xterm. */
  readonly term: string;
  /** Undefined: the program has no terminal, and its output and errors come apart. */
  readonly terminal: TerminalSize | undefined;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
}

/** Starts an interactive program in a running container. */
export function startShell(
  engine: Engine,
  container: string,
  { command, account, term, terminal, stdin, signal }: ShellOptions,
): Promise<ExecSession> {
  return engine.exec(container, {
    command: shellCommand(account, command),
    environment: { TERM: term || "xterm", HOME: "/root", USER: "root", LOGNAME: "root", LANG: "C.UTF-8" },
    cwd: "/",
    stdin,
    signal,
    ...(terminal && { terminal }),
  });
}

/** One chunk of what a program writes. */
export interface OutputChunk {
  readonly stream: "stdout" | "stderr";
  readonly bytes: Uint8Array;
}

/** Standard output and standard error in the order of arrival. The program waits while nobody reads. */
export function mergedOutput({ stdout, stderr }: ExecSession): AsyncIterable<OutputChunk> {
  const merged = new PassThrough({ objectMode: true });
  const feed = async (source: Readable, stream: OutputChunk["stream"]): Promise<void> => {
    for await (const bytes of source) {
      if (!merged.write({ stream, bytes })) await once(merged, "drain");
    }
  };
  Promise.all([feed(stdout, "stdout"), feed(stderr, "stderr")]).then(
    () => merged.end(),
    (error) => merged.destroy(error),
  );
  return merged;
}
