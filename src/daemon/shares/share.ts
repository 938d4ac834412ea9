import type { ShareDevice } from "../containers/share-mark.ts";
import type { Ids } from "./share-records.ts";

export interface WantedShare {
  readonly source: string;
  /** Empty: below /mnt, with the name of the folder. */
  readonly path: string;
  readonly readOnly: boolean;
  /** Who asks, on the machine of the daemon; undefined where that is not known. */
  readonly caller: Ids | undefined;
}

/** A share as people see it. */
export interface Share extends Pick<ShareDevice, "source" | "path" | "readOnly"> {
  readonly container: string;
  /** Undefined where owners are shown as they are. */
  readonly owner: Ids | undefined;
  /** Why the container does not see it, and what helps; empty if it does. */
  readonly problem: string;
}
