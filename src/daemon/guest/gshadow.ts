import { readNames } from "./account-field.ts";
import type { AccountFormat } from "./account-file.ts";

/** Who may change a group, and who may join it without its password. */
export interface GshadowEntry {
  readonly name: string;
  readonly password: string;
  readonly administrators: readonly string[];
  readonly members: readonly string[];
}

/** gshadow(5). */
export const gshadow: AccountFormat<GshadowEntry> = {
  path: "/etc/gshadow",
  fields: 4,
  read([name = "", password = "", administrators = "", members = ""]) {
    return {
      name,
      password,
      administrators: readNames(administrators, "administrators"),
      members: readNames(members, "members"),
    };
  },
  write: ({ name, password, administrators, members }) => [
    name,
    password,
    administrators.join(","),
    members.join(","),
  ],
};
