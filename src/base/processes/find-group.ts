import { runProgram } from "./run-program.ts";

export interface Group {
  readonly id: number;
  /** Those who have it besides their primary group. */
  readonly members: readonly string[];
}

/** A group of this machine, also from a directory of the network (nsswitch.conf(5)); undefined if there is none. */
export async function findGroup(name: string): Promise<Group | undefined> {
  try {
    return parseGroup(await runProgram("getent", ["group", "--", name], { timeoutMs: 10_000 }));
  } catch (error) {
    const NOT_FOUND = 2;
    if ((error as { code?: unknown }).code === NOT_FOUND) return undefined;
    throw error;
  }
}

/** Reads a line of group(5); undefined for any other text. */
export function parseGroup(line: string): Group | undefined {
  const [, id, members = ""] = /^[^:\n]*:[^:\n]*:(\d{1,10}):([^:\n]*)\n?$/.exec(line) ?? [];
  if (id === undefined) return undefined;
  return { id: Number(id), members: members.split(",").filter((member) => member !== "") };
}
