import type { OperationRecord } from "../operations/operation-record.ts";

/** What the engine reports by itself. */
export type EngineEvent =
  | { readonly type: "operation"; readonly timestamp: string; readonly metadata: OperationRecord }
  | { readonly type: "lifecycle"; readonly timestamp: string; readonly metadata: Lifecycle };

/** A change of an instance, an image, a network or another object. `source` is its URL (see instanceOf). */
export interface Lifecycle {
  readonly action: string;
  readonly source: string;
  readonly context?: Readonly<Record<string, unknown>>;
}
