import type { EngineTexts } from "../flavors/flavor.ts";

/** An operation at one moment, as the engine's API describes it. */
export interface OperationRecord {
  readonly id: string;
  readonly class: "task" | "websocket" | "token";
  readonly description: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly status: string;
  /** 100 to 199 running, 200 success, 400 failure, 401 cancelled. */
  readonly status_code: number;
  /** URLs of the objects that it works on, by kind (`instances`, `containers`, `images` ...). */
  readonly resources: Readonly<Record<string, readonly string[]>> | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly may_cancel: boolean;
  readonly err: string;
  readonly location?: string;
}

export function hasEnded(operation: OperationRecord): boolean {
  return operation.status_code >= 200;
}

/**
 * Whether the operation may change this instance. Programs that run in it, its console, backups and copies of it do
 * not: they are websockets, or tasks with a description that the flavor knows. An unknown task may.
 */
export function changesInstance(operation: OperationRecord, instance: string, texts: EngineTexts): boolean {
  if (operation.class === "websocket" || texts.readOnlyOperation.test(operation.description)) return false;
  const named = instancesOf(operation);
  return texts.createOperation.test(operation.description) ? named[0] === instance : named.includes(instance);
}

/** Engines list them under `instances`, `containers` or both. */
function instancesOf({ resources }: OperationRecord): (string | undefined)[] {
  const { instances = [], containers = [] } = resources ?? {};
  return [...instances, ...containers].map(instanceOf);
}

/** The instance in a URL of the API (`/1.0/instances/NAME`, also with more path or a query after it). */
export function instanceOf(url: string): string | undefined {
  const name = /^\/1\.0\/(?:instances|containers)\/([^/?]+)/.exec(url)?.[1];
  if (name === undefined) return undefined;
  try {
    return decodeURIComponent(name);
  } catch {
    return undefined;
  }
}
