import type { HostFlags } from "../flags/host-flags.ts";
import type { Io } from "../io.ts";
import { noProgress } from "../progress/progress.ts";
import { showProgress } from "../progress/show-progress.ts";
import { HostApi } from "./host-api.ts";
import { type Outcome, runOperation, type Session, type Work } from "./operation.ts";

/** Runs something with a host to ask and a progress to look at, and releases both. */
export async function withSession<T>(
  title: string,
  flags: HostFlags,
  io: Io,
  act: (session: Session) => Promise<T>,
): Promise<T> {
  using api = HostApi.open(flags);
  const json = flags.json === true;
  await using progress = json ? noProgress : showProgress(title, io);
  return await act({ api, io, progress, json });
}

/** Runs one piece of work on one container and tells its result. */
export async function runWork(work: Work, flags: HostFlags, io: Io): Promise<void> {
  const outcome = await withSession(work.title, flags, io, (session) => runOperation(session, work));
  reportResult(work.container, outcome, flags, io);
}

/** The result of work on a container, for a person or a program. */
export function reportResult(
  container: string,
  { words, operation }: Partial<Outcome> & Pick<Outcome, "words">,
  flags: HostFlags,
  io: Io,
): void {
  const document = { container, result: words, operation };
  io.out(flags.json ? `${JSON.stringify(document)}\n` : `${container}: ${words}\n`);
}
