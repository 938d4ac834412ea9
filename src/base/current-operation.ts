import { AsyncLocalStorage } from "node:async_hooks";

interface Current {
  readonly id: string;
  hasEnded: boolean;
}

const storage = new AsyncLocalStorage<Current>();

/** Does the work of an operation: until it is done, whatever it calls can know whose work it is. */
export async function asOperation<T>(id: string, work: () => Promise<T>): Promise<T> {
  const current: Current = { id, hasEnded: false };
  try {
    return await storage.run(current, work);
  } finally {
    current.hasEnded = true;
  }
}

/**
 * The id of the operation whose work this is; undefined for any other. What an operation has begun and left running,
 * such as a watcher, is no longer its work.
 */
export function currentOperation(): string | undefined {
  const current = storage.getStore();
  return current?.hasEnded === false ? current.id : undefined;
}
