import { runProgram } from "../../base/processes/run-program.ts";
import { sudoCaller } from "../../base/processes/sudo-caller.ts";
import { TremplinError } from "../../base/tremplin-error.ts";

/** Where the person at this command keeps settings. */
export interface PersonsHome {
  readonly home: string;
  /** Usually HOME/.config. */
  readonly config: string;
}

/**
 * The home of the person who types the command. Under sudo the program becomes that person for good first: files then
 * belong to them, and no link that they made leads root anywhere.
 */
export async function becomePerson(): Promise<PersonsHome> {
  const { HOME, XDG_CONFIG_HOME } = process.env;
  const caller = sudoCaller();
  if (!caller) {
    if (!HOME)
      throw new TremplinError("failed", "HOME is not set, so it is not known where ssh has its settings");
    return { home: HOME, config: XDG_CONFIG_HOME?.startsWith("/") ? XDG_CONFIG_HOME : `${HOME}/.config` };
  }
  const home = await homeOf(caller.uid);
  process.setgroups?.([caller.gid]);
  process.setgid?.(caller.gid);
  process.setuid?.(caller.uid);
  return { home, config: `${home}/.config` };
}

async function homeOf(uid: number): Promise<string> {
  const line = await runProgram("getent", ["passwd", String(uid)]).catch(() => "");
  const home = line.trim().split(":")[5] ?? "";
  if (home.startsWith("/")) return home;
  throw new TremplinError("failed", `the account ${uid}, from which sudo came, has no home folder`);
}
