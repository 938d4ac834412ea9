import { replaceFile, textOfFile } from "../base/files/files.ts";
import { TremplinError } from "../base/tremplin-error.ts";
import { type Role, roleFromUri, roleUri } from "../transport/role.ts";

/** A certificate that an authority has signed, whether or not it is still in its folder. */
export interface Issued {
  readonly role: Role;
  readonly serial: string;
  readonly until: Date;
}

/** All certificates that an authority has signed, oldest first: in each line serial number, end and role. */
export async function readIssued(path: string): Promise<Issued[]> {
  const lines = ((await textOfFile(path)) ?? "").split("\n");
  return lines.flatMap((line, index) =>
    line === "" ? [] : [parseLine(line, `line ${index + 1} of ${path}`)],
  );
}

/** Adds those that are not there yet. */
export async function recordIssued(path: string, added: readonly Issued[]): Promise<void> {
  const known = await readIssued(path);
  const fresh = added.filter(({ serial }) => !known.some((each) => each.serial === serial));
  const lines = [...known, ...fresh].map(
    ({ serial, until, role }) => `${serial} ${until.toISOString()} ${roleUri(role)}\n`,
  );
  if (fresh.length > 0) await replaceFile(path, lines.join(""));
}

function parseLine(line: string, where: string): Issued {
  const [, serial, end = "", uri = ""] = /^([0-9A-F]{1,80}) (\S+) (\S+)$/.exec(line) ?? [];
  const role = roleFromUri(uri);
  const until = new Date(end);
  if (serial === undefined || !role || Number.isNaN(until.getTime())) {
    throw new TremplinError(
      "invalid",
      `${where} is not the serial number, the end and the role of a certificate`,
    );
  }
  return { role, serial, until };
}
