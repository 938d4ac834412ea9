import type { Io } from "../io.ts";
import { LineProgress } from "./line-progress.ts";
import { noProgress, type Progress } from "./progress.ts";
import { TerminalProgress } from "./terminal-progress.ts";

/**
 * Shows the progress of what `title` names ("creating penguin"): on a terminal in one line that changes, elsewhere in
 * lines, and with `json` not at all.
 */
export function openProgress(title: string, io: Io, { json }: { readonly json: boolean }): Progress {
  if (json) return noProgress;
  const { terminal } = io;
  return terminal ? new TerminalProgress(title, io, terminal) : new LineProgress(title, io);
}
