import { openSync } from "node:fs";
import { lastError, libc } from "./raw-socket.ts";

const CLONE_NEWNET = 0x40000000;

const setns = libc.func("int setns(int, int)");
let own: number | undefined;

/**
 * Does one thing in another network namespace and returns to this program's own, all of it before anything else runs on
 * this thread. A socket stays in the namespace that it was made in. Throws when the kernel does not permit it.
 */
export function inNetworkNamespace<T>(namespace: number, action: () => T): T {
  own ??= openSync("/proc/thread-self/ns/net", "r");
  if (setns(namespace, CLONE_NEWNET) < 0) throw new Error(`setns failed with error ${lastError()}`);
  try {
    return action();
  } finally {
    // Whatever this program did next would happen in the network of a container.
    if (setns(own, CLONE_NEWNET) < 0) process.abort();
  }
}
