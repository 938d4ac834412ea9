import { commandLine, processIds } from "../../base/processes/process-info.ts";
import { type ProcessRecord, recordOf } from "./process-record.ts";

/** The running program of that name that listens on a socket of that path, by its command line. */
export async function findProcess(name: string, socket: string): Promise<ProcessRecord | undefined> {
  for (const pid of await processIds()) {
    const all = await commandLine(pid);
    const words = all.slice(Math.max(1, all.indexOf(name)));
    if (!listensOn(name, words, socket)) continue;
    const record = recordOf(pid, words);
    if (record) return record;
  }
  return undefined;
}

function listensOn(name: string, words: readonly string[], socket: string): boolean {
  // QEMU has no name of ours: its monitor listens on the socket.
  if (name === "machine")
    return words.some((word) => word.startsWith(`unix:${socket.replaceAll(",", ",,")},server`));
  return (
    words[0] === name &&
    words.some((word, index) => word === `unix:${socket}` && words[index - 1] === "--listen")
  );
}
