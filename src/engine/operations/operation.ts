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

/**
 * What engines call work on an instance that leaves it as it is and lasts as long as somebody likes: programs that run
 * in it, its console, backups and copies of it. They are websockets, or tasks of these words (LXD 5.0, Incus 6.0).
 */
const ONLY_LOOKS = /^(Executing command|Showing console|Backing up|Copying|Transferring)\b/;
/** A copy is told as the creation of the new instance, with its source named second. */
const CREATES = /^Creating\b/;

/** Whether the operation may change this instance; of work of an unknown kind that is assumed. */
export function changes(operation: Operation, instance: string): boolean {
  if (operation.class === "websocket" || ONLY_LOOKS.test(operation.description)) return false;
  const named = instancesOf(operation);
  return CREATES.test(operation.description) ? named[0] === instance : named.includes(instance);
}

/** The instances that the operation works on; engines list them under `instances`, `containers` or both. */
function instancesOf({ resources }: Operation): (string | undefined)[] {
  const { instances = [], containers = [] } = resources ?? {};
  return [...instances, ...containers].map(instanceOf);
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
