import { toJson } from "@bufbuild/protobuf";
import { Command } from "commander";
import { jsonLine } from "../../base/text.ts";
import { CreateConsoleTokenResponseSchema, Host } from "../../contract/tremplin/v1/host_pb.js";
import { openBrowser } from "../background/open-browser.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { HostApi } from "../host-client/host-api.ts";
import type { Io } from "../io.ts";

interface Flags extends HostFlags {
  readonly open?: true;
}

export function consoleCommand(io: Io): Command {
  const command = new Command("console").option("--open", "open it in the browser of this desktop, too");
  return withHostFlags(command, "document", "host").action((flags: Flags) => openConsole(flags, io));
}

async function openConsole(flags: Flags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  const settings = { signal: io.interrupted, timeout: 15_000 };
  const answer = await api.call(Host.method.createConsoleToken, {}, settings);
  if (flags.json) {
    io.out(jsonLine(toJson(CreateConsoleTokenResponseSchema, answer, { alwaysEmitImplicit: true })));
  } else {
    io.out(`${answer.signInUrl}\n`);
    io.err("It signs one browser of the host's machine in, within ten minutes.\n");
  }
  if (flags.open) await openBrowser(answer.signInUrl);
}
