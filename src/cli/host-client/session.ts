import { jsonLine } from "../../base/text.ts";
import type { HostFlags } from "../flags/host-flags.ts";
import type { Io } from "../io.ts";
import { openProgress } from "../progress/open-progress.ts";
import type { Progress } from "../progress/progress.ts";
import { HostApi } from "./host-api.ts";
import { type OperationSpec, type Outcome, runOperation } from "./run-operation.ts";

/** What a command runs with. */
export interface Session {
  readonly api: HostApi;
  readonly io: Io;
  readonly progress: Progress;
  /** Print JSON for a program instead of text. */
  readonly json: boolean;
}

/** Runs `act` with a connection to the host and a progress display, and closes both. */
export async function withSession<T>(
  title: string,
  flags: HostFlags,
  io: Io,
  act: (session: Session) => Promise<T>,
): Promise<T> {
  using api = HostApi.open(flags);
  const json = flags.json === true;
  await using progress = openProgress(title, io, { json });
  return await act({ api, io, progress, json });
}

/** Runs one operation on one container and prints its result. */
export async function runAndReport(spec: OperationSpec, flags: HostFlags, io: Io): Promise<void> {
  const outcome = await withSession(spec.title, flags, io, (session) => runOperation(session, spec));
  reportResult(spec.container, outcome, flags, io);
}

/** Prints the result of a command on a container. */
export function reportResult(
  container: string,
  { text, operation }: Partial<Outcome> & Pick<Outcome, "text">,
  flags: HostFlags,
  io: Io,
): void {
  const document = { container, result: text, operation };
  io.out(flags.json ? jsonLine(document) : `${container}: ${text}\n`);
}
