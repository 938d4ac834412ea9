import { readCount } from "./account-field.ts";
import type { AccountFormat } from "./account-file.ts";

/** How a user may log in, and until when. Numbers are days; `lastChange` and `expire` count from 1970. */
export interface ShadowEntry {
  readonly name: string;
  readonly password: string;
  readonly lastChange: bigint | undefined;
  readonly minimum: bigint | undefined;
  readonly maximum: bigint | undefined;
  readonly warn: bigint | undefined;
  readonly inactive: bigint | undefined;
  readonly expire: bigint | undefined;
  readonly reserved: string;
}

/** shadow(5). */
export const shadow: AccountFormat<ShadowEntry> = {
  path: "/etc/shadow",
  fields: 9,
  read([name = "", password = "", last = "", min = "", max = "", warn = "", off = "", end = "", more = ""]) {
    return {
      name,
      password,
      lastChange: readCount(last, "day of the last change"),
      minimum: readCount(min, "minimum age"),
      maximum: readCount(max, "maximum age"),
      warn: readCount(warn, "warning period"),
      inactive: readCount(off, "inactivity period"),
      expire: readCount(end, "expiration day"),
      reserved: more,
    };
  },
  write: ({ name, password, lastChange, minimum, maximum, warn, inactive, expire, reserved }) => [
    name,
    password,
    ...[lastChange, minimum, maximum, warn, inactive, expire].map((count) => String(count ?? "")),
    reserved,
  ],
};
