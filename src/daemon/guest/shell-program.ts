import { once } from "node:events";
import { PassThrough, type Readable } from "node:stream";
import type { Engine } from "../../engine/engine.ts";
import type { ExecSession, TerminalSize } from "../../engine/exec/exec-session.ts";

/**
 * The login shell of the primary user (uid 1000) if there is one, else root's. Uses nothing that a container with
 * busybox alone lacks: no getent, no bash; without su it is root's shell. A login shell that the container does not
 * have is replaced by one that it has. A constant: nothing of a request is in it.
 */
const LOGIN_SHELL_SCRIPT = `
find_user() {
  while IFS=: read -r user password uid gid gecos home shell || [ -n "$user" ]; do
    case $user in "#"* | [+-]*) continue ;; esac
    if [ "$uid" = 1000 ]; then return 0; fi
  done
  return 1
}
a_shell() {
  for program in /bin/bash /usr/bin/bash /run/current-system/sw/bin/bash /bin/ash /bin/sh; do
    if [ -x $program ]; then echo $program; return; fi
  done
}
find_user <<end || { [ -r /etc/passwd ] && find_user < /etc/passwd; } || user=
$(getent passwd 1000 2>/dev/null)
end
if [ -n "$user" ] && command -v su >/dev/null && id "$user" >/dev/null 2>&1; then
  if [ -z "$shell" ] || [ -x "$shell" ]; then exec su -l "$user"; fi
  exec su -s "$(a_shell)" -l "$user"
fi
exec "$(a_shell)" -l
`;
const LOGIN_SHELL = ["/bin/sh", "-c", LOGIN_SHELL_SCRIPT];

export interface ShellOptions {
  /** The program and its arguments; empty: the login shell. */
  readonly command: readonly string[];
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
  { command, term, terminal, stdin, signal }: ShellOptions,
): Promise<ExecSession> {
  return engine.exec(container, {
    command: command.length > 0 ? command : LOGIN_SHELL,
    environment: { TERM: term || "xterm", HOME: "/root", USER: "root", LANG: "C.UTF-8" },
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
