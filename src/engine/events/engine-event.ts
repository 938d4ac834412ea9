import type { Operation } from "../operations/operation.ts";

/** What the engine tells of by itself. */
export type EngineEvent =
  | { readonly type: "operation"; readonly timestamp: string; readonly metadata: Operation }
  | { readonly type: "lifecycle"; readonly timestamp: string; readonly metadata: Lifecycle };

/** Something happened to an instance, an image, a network ... `source` is its URL (see instanceOf). */
export interface Lifecycle {
  readonly action: string;
  readonly source: string;
  readonly context?: Readonly<Record<string, unknown>>;
}
