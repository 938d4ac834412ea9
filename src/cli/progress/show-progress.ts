import type { Io } from "../io.ts";
import { LineProgress } from "./line-progress.ts";
import type { Progress } from "./progress.ts";
import { TerminalProgress } from "./terminal-progress.ts";

/** Shows progress of work named by its title ("creating penguin") on a terminal, or as lines where there is none. */
export function showProgress(title: string, io: Io): Progress {
  const { terminal } = io;
  return terminal ? new TerminalProgress(title, io, terminal) : new LineProgress(title, io);
}
