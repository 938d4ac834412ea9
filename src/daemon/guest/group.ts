import { readId, readNames } from "./account-field.ts";
import type { AccountFormat } from "./account-file.ts";

/** A group and who is in it, besides those whose own group it is. */
export interface GroupEntry {
  readonly name: string;
  readonly password: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** group(5). */
export const group: AccountFormat<GroupEntry> = {
  path: "/etc/group",
  fields: 4,
  read([name = "", password = "", gid = "", members = ""]) {
    return { name, password, gid: readId(gid, "gid"), members: readNames(members, "members") };
  },
  write: ({ name, password, gid, members }) => [name, password, String(gid), members.join(",")],
};
