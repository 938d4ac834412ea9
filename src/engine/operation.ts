/** Work in the engine's background, as its API tells of it. */
export interface Operation {
  readonly id: string;
  readonly class: "task" | "websocket" | "token";
  readonly description: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly status: string;
  /** 100 to 199 under way, 200 success, 400 failure, 401 cancelled. */
  readonly status_code: number;
  /** URLs of what it works on, by kind (`instances`, `containers`, `images` ...). */
  readonly resources: Readonly<Record<string, readonly string[]>> | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly may_cancel: boolean;
  readonly err: string;
  readonly location?: string;
}

export function hasEnded(operation: Operation): boolean {
  return operation.status_code >= 200;
}

/** Whether the operation works on this instance; engines list it under `instances`, `containers` or both. */
export function touches(operation: Operation, instance: string): boolean {
  const { instances = [], containers = [] } = operation.resources ?? {};
  return [...instances, ...containers].some((url) => instanceOf(url) === instance);
}

/** The instance that a URL of the API names (`/1.0/instances/NAME`, also with a query or more behind). */
export function instanceOf(url: string): string | undefined {
  const name = /^\/1\.0\/(?:instances|containers)\/([^/?]+)/.exec(url)?.[1];
  if (name === undefined) return undefined;
  try {
    return decodeURIComponent(name);
  } catch {
    return undefined;
  }
}
