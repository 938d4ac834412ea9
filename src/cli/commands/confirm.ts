import { TremplinError } from "../../base/tremplin-error.ts";
import type { Io } from "../io.ts";

/** A command that removes or reverts data of a container. */
export interface DestructiveAction {
  /** As in "to delete web ...". */
  readonly verb: string;
  /** As in "web was not deleted". */
  readonly participle: string;
  readonly question: string;
}

/** Asks the user. Throws `failed` for any answer but yes, and `invalid` without a terminal. */
export async function confirm(container: string, action: DestructiveAction, io: Io): Promise<void> {
  const answer = await io.ask(`${action.question} [y/N] `);
  if (answer === undefined) {
    throw new TremplinError(
      "invalid",
      `cannot ask without a terminal: to ${action.verb} ${container}, use --yes`,
    );
  }
  if (!/^y(es)?$/i.test(answer.trim())) {
    throw new TremplinError("failed", `${container} was not ${action.participle}`);
  }
}
