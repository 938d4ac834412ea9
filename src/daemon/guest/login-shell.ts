import { posix } from "node:path";
import type { FileSession } from "../../engine/files/file-session.ts";
import { ifInaccessible, isProgram } from "./container-files.ts";
import { decodeLatin1, trimAscii } from "./lossless-text.ts";

const SHELLS_FILE = "/etc/shells";
const MAX_BYTES = 64 * 1024;
/** How many lines of the file are used. */
const MAX_SHELLS = 64;
/** Some systems list these as shells, but nobody can work in them. */
const NO_SHELLS = new Set(
  `nologin false true sync halt shutdown rbash rsh rksh rzsh rdash git-shell screen tmux
   systemd-home-fallback-shell`.split(/\s+/),
);

/**
 * The login shell for a new user: bash if the container has it, else the shell of root, else the first one of
 * /etc/shells that is there, else sh.
 */
export async function chooseLoginShell(files: FileSession, rootShell: string): Promise<string> {
  const listed = parseShells(
    (await files.read(SHELLS_FILE, MAX_BYTES).catch(ifInaccessible)) ?? new Uint8Array(),
  );
  const isBash = (path: string) => posix.basename(path) === "bash";
  const wanted = ["/bin/bash", ...listed.filter(isBash), rootShell, ...listed, "/bin/ash"];
  for (const path of new Set(wanted.filter(isShell))) if (await isProgram(files, path)) return path;
  return "/bin/sh";
}

/** The shells in shells(5). Lines that name none are skipped. */
export function parseShells(content: Uint8Array): string[] {
  return decodeLatin1(content)
    .split("\n", MAX_SHELLS)
    .map((line) => trimAscii(line.split("#", 1)[0] ?? ""))
    .filter(isShell);
}

/** Whether a path can be that of a login shell and stand in passwd. */
function isShell(path: string): boolean {
  return /^\/[!-9;-~]{1,255}$/.test(path) && !NO_SHELLS.has(posix.basename(path));
}
