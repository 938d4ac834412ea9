import { Command } from "commander";
import { plainText } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { HostApi } from "../host-client/host-api.ts";
import { reportResult } from "../host-client/session.ts";
import type { Io } from "../io.ts";

export function setCommand(io: Io): Command {
  const command = new Command("set")
    .argument("<name>", "the container, running or not", containerName)
    .argument("<settings...>", "cpu=2, memory=2GiB, disk=20GiB (or unlimited), autostart=on, off or last");
  return withHostFlags(command).action((name: string, settings: string[], flags: HostFlags) =>
    set(name, parse(settings), flags, io),
  );
}

async function set(
  container: string,
  wanted: Readonly<Record<string, string>>,
  flags: HostFlags,
  io: Io,
): Promise<void> {
  using api = HostApi.open(flags);
  const request = { containerName: container, settings: wanted };
  const callSettings = { signal: io.interrupted, timeout: 60_000 };
  const { settings, notes } = await api.call(Guest.method.setContainerSettings, request, callSettings);
  const text = Object.keys(wanted).map((name) => `${name} is ${plainText(settings[name] ?? "")}`);
  reportResult(container, { text: text.join(", ") }, flags, io);
  for (const note of notes) io.err(`${plainText(note)}\n`);
}

/** Throws `invalid` for what is not KEY=VALUE, and for a key that is given twice. */
function parse(settings: readonly string[]): Record<string, string> {
  const parsed = new Map<string, string>();
  for (const text of settings) {
    const [, key, value] = /^([^=]+)=(.+)$/.exec(text) ?? [];
    if (key === undefined || value === undefined) {
      throw new TremplinError("invalid", `"${text}" is no KEY=VALUE, such as memory=2GiB`);
    }
    if (parsed.has(key)) throw new TremplinError("invalid", `${key} is given twice`);
    parsed.set(key, value);
  }
  return Object.fromEntries(parsed);
}
