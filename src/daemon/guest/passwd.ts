import { readId } from "./account-field.ts";
import type { AccountFormat } from "./account-file.ts";

/** A user. The text is one character for each byte: `legible` before it is shown or sent. */
export interface PasswdEntry {
  readonly name: string;
  readonly password: string;
  readonly uid: number;
  readonly gid: number;
  readonly gecos: string;
  readonly home: string;
  readonly shell: string;
}

/** passwd(5). */
export const passwd: AccountFormat<PasswdEntry> = {
  path: "/etc/passwd",
  fields: 7,
  read([name = "", password = "", uid = "", gid = "", gecos = "", home = "", shell = ""]) {
    return { name, password, uid: readId(uid, "uid"), gid: readId(gid, "gid"), gecos, home, shell };
  },
  write: ({ name, password, uid, gid, gecos, home, shell }) => [
    name,
    password,
    String(uid),
    String(gid),
    gecos,
    home,
    shell,
  ],
};
