import { once } from "node:events";
import { join } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Command } from "commander";
import { checkContainerName } from "../../base/container-name.ts";
import { textOfFile } from "../../base/files/files.ts";
import { plainLines } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { Guest, type ShellInputSchema, type ShellOutput } from "../../contract/tremplin/v1/guest_pb.js";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { HostApi } from "../host-client/host-api.ts";
import type { Io } from "../io.ts";
import { serverCommand, serverError, splitPreamble } from "../ssh/server-script.ts";
import { DOMAIN } from "../ssh/ssh-config-text.ts";
import { keepHostKeys } from "../ssh/ssh-files.ts";

type Input = MessageInitShape<typeof ShellInputSchema>;

/** Longer texts of a server that does not start are cut off. */
const MAX_ERRORS = 2_000;

interface Flags extends HostFlags {
  readonly folder: string;
}

/** The ProxyCommand of ssh: a connection to the ssh server of a container, on standard input and output. */
export function sshProxyCommand(io: Io): Command {
  const command = new Command("ssh-proxy")
    .argument("<host>", "the container's name for ssh, NAME.tremplin")
    .argument("[user]", "the account in the container")
    .requiredOption("--folder <folder>", "where tremplin ssh-config keeps the key and the known hosts");
  return withHostFlags(command, "none").action((host: string, user: string | undefined, flags: Flags) =>
    proxy(host, user ?? "", flags, io),
  );
}

async function proxy(host: string, user: string, flags: Flags, io: Io): Promise<void> {
  const containerName = host.endsWith(DOMAIN) ? host.slice(0, -DOMAIN.length) : host;
  checkContainerName(containerName);
  const publicKey = await textOfFile(join(flags.folder, "key.pub"));
  if (publicKey === undefined) {
    throw new TremplinError(
      "failed",
      `there is no key in ${flags.folder}; tremplin ssh-config --install makes one`,
    );
  }
  const command = serverCommand(publicKey, user);
  using api = HostApi.open(flags);
  const start = { containerName, command, plain: true };
  const outputs = api.bidiStream(Guest.method.shell, inputs(start));
  const onHostKeys = (keys: readonly string[]) => keepHostKeys(flags.folder, host, keys);
  const { exitCode, isReady, errors } = await passOn(outputs, onHostKeys, io);
  process.stdin.destroy();
  if (!isReady) throw serverError(containerName, user, errors);
  process.exitCode = exitCode;
}

async function* inputs(start: object): AsyncGenerator<Input, void, void> {
  yield { input: { case: "start", value: start } };
  for await (const value of process.stdin) yield { input: { case: "data", value } };
}

/** Host keys first: ssh looks for them once it has the server's first bytes. */
async function passOn(
  outputs: AsyncIterable<ShellOutput>,
  onHostKeys: (keys: readonly string[]) => Promise<void>,
  io: Io,
) {
  let preamble: Buffer | undefined = Buffer.alloc(0);
  let errors = "";
  let exitCode = 1;
  for await (const { output } of outputs) {
    if (output.case === "exitCode") exitCode = output.value;
    else if (output.case === "errors") {
      const text = Buffer.from(output.value).toString("utf8");
      if (preamble) errors = (errors + text).slice(0, MAX_ERRORS);
      else io.err(plainLines(text));
    } else if (output.case === "data" && preamble) {
      preamble = Buffer.concat([preamble, output.value]);
      const split = splitPreamble(preamble);
      if (!split) continue;
      await onHostKeys(split.hostKeys);
      preamble = undefined;
      await write(split.rest);
    } else if (output.case === "data") await write(output.value);
  }
  return { exitCode, isReady: preamble === undefined, errors: plainLines(errors).trim() };
}

async function write(bytes: Uint8Array): Promise<void> {
  if (bytes.length > 0 && !process.stdout.write(bytes)) await once(process.stdout, "drain");
}
