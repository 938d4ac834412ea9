import { join } from "node:path";
import { Command, Option } from "commander";
import { tableText } from "../../base/table.ts";
import { jsonLine } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { type Role, rolePattern, roleText } from "../../transport/role.ts";
import { Authority, type Certificate } from "../../trust/authority.ts";
import { collect } from "../flags/host-flags.ts";
import type { Io } from "../io.ts";

interface Flags {
  readonly folder: string;
  readonly json?: true;
}

interface IssueFlags extends Flags {
  readonly address?: readonly string[];
  readonly renew?: true;
}

export function trustCommand(io: Io): Command {
  const command = new Command("trust").enablePositionalOptions();
  for (const each of [...issueCommands(io), listCommand(io), revokeCommand(io)]) {
    command.addCommand(withTrustFlags(each));
  }
  return command;
}

function withTrustFlags(command: Command): Command {
  return command
    .addOption(
      new Option("--folder <dir>", "the folder of the authority and its certificates")
        .env("TREMPLIN_TRUST")
        .default("/var/lib/tremplin/trust"),
    )
    .option("--json", "print one JSON document");
}

function issueCommands(io: Io): Command[] {
  const guest = new Command("guest").description("make a certificate for a guest").argument("<name>");
  const client = new Command("client")
    .description("make a certificate for a person or a program that uses the host")
    .argument("<name>");
  const host = new Command("host").description("make the certificate of the host");
  guest.action((name: string, flags: IssueFlags) =>
    issue({ kind: "guest", name: checkName(name) }, flags, io),
  );
  client.action((name: string, flags: IssueFlags) =>
    issue({ kind: "client", name: checkName(name) }, flags, io),
  );
  host.action((flags: IssueFlags) => issue({ kind: "host" }, flags, io));
  return [guest, client, host].map((command) =>
    command
      .option(
        "--address <name|ip>",
        "its host name or IP address, for clients that check it; may be repeated",
        collect,
      )
      .option("--renew", "make another one although there is a valid one"),
  );
}

function listCommand(io: Io): Command {
  return new Command("list").description("list the certificates").action((flags: Flags) => list(flags, io));
}

function revokeCommand(io: Io): Command {
  return new Command("revoke")
    .description("stop accepting all certificates of an owner, or one, also on connections that are open")
    .argument("<guest|client|host|serial>", "whose, or serial")
    .argument("[name]", "the name, or the serial number; none for the host")
    .action((kind: string, name: string | undefined, flags: Flags) => revoke(kind, name, flags, io));
}

async function issue(role: Role, { address, renew, ...flags }: IssueFlags, io: Io): Promise<void> {
  const authority = authorityOf(flags, io);
  const made = await authority.issue(role, { addresses: address ?? [], renew: renew === true });
  if (flags.json) {
    io.out(jsonLine({ ...document(made), cert: made.cert, key: made.key, ca: authority.certificate }));
    return;
  }
  const rows = [
    `${roleText(role)}: certificate ${made.serial}, valid until ${dayOf(made.until)}`,
    `its options: --tls-cert ${made.cert} --tls-key ${made.key} --tls-ca ${authority.certificate}`,
  ];
  if (role.kind !== "host") {
    const path = (name: string): string => join(flags.folder, name);
    rows.push(
      "copy these three files to where it runs, and remove the key here",
      `options of the host: --tls-cert ${path("host.crt")} --tls-key ${path("host.key")} --tls-ca ${authority.certificate}`,
    );
  }
  io.out(rows.map((row) => `${row}\n`).join(""));
}

async function list(flags: Flags, io: Io): Promise<void> {
  const found = await authorityOf(flags, io).list();
  if (flags.json) return io.out(jsonLine({ certificates: found.map(document) }));
  if (found.length === 0) return io.err("there is no certificate; tremplin trust guest NAME makes one\n");
  const rows = found.map((each) => [nameOf(each), each.state, dayOf(each.until), each.serial]);
  io.out(tableText([["FOR", "STATE", "UNTIL", "SERIAL"], ...rows], io.columns));
}

async function revoke(kind: string, name: string | undefined, flags: Flags, io: Io): Promise<void> {
  const authority = authorityOf(flags, io);
  if (kind === "serial") {
    await authority.revokeSerial(name ?? "");
    return report(flags, io, { serial: name, state: "revoked" }, `certificate ${name}: revoked`);
  }
  const revoked = await authority.revoke(roleOf(kind, name));
  const text = revoked.map((each) => `${nameOf(each)}: certificate ${each.serial} is revoked`).join("\n");
  const serials = revoked.map(({ serial }) => serial);
  report(flags, io, { ...document(revoked[0]), serials }, text);
}

function roleOf(kind: string, name: string | undefined): Role {
  if (kind === "host") {
    if (name === undefined) return { kind };
    throw new TremplinError("invalid", "the host has no name: use tremplin trust revoke host");
  }
  if (kind === "guest" || kind === "client") return { kind, name: checkName(name ?? "") };
  throw new TremplinError("invalid", `"${kind}" is not guest, client, host or serial`);
}

function report(flags: Flags, io: Io, json: object, text: string): void {
  io.out(flags.json ? jsonLine(json) : `${text}\n`);
}

function authorityOf({ folder }: Flags, io: Io): Authority {
  return new Authority(folder, io.clock);
}

function document({ role, serial, until, state }: Certificate): object {
  return { ...role, serial, until: until.toISOString(), state };
}

function nameOf({ role }: Certificate): string {
  return roleText(role);
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}

function checkName(name: string): string {
  if (rolePattern.test(name)) return name;
  throw new TremplinError(
    "invalid",
    `"${name}" is not a name: use up to 63 letters, digits, dots, hyphens and underscores, beginning with a letter or digit`,
  );
}
