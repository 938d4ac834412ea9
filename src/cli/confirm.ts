import { TremplinError } from "../base/tremplin-error.ts";
import type { Io } from "./io.ts";

/** What is about to be done to a container, which cannot be taken back. */
export interface DestructiveAction {
  /** As in "to delete web ...". */
  readonly verb: string;
  /** As in "web was not deleted". */
  readonly participle: string;
  readonly question: string;
}

/** Asks the person. Throws `failed` on anything but a yes, `invalid` where there is nobody to ask. */
export async function confirm(container: string, deed: DestructiveAction, io: Io): Promise<void> {
  const answer = await io.ask(`${deed.question} [y/N] `);
  if (answer === undefined) {
    throw new TremplinError("invalid", `to ${deed.verb} ${container} with nobody at a terminal, say --yes`);
  }
  if (!/^y(es)?$/i.test(answer.trim())) {
    throw new TremplinError("failed", `${container} was not ${deed.participle}`);
  }
}
