import { resolve } from "node:path";
import { Command } from "commander";
import { textIfReadable } from "../../base/files/files.ts";
import { plainText } from "../../base/text.ts";
import { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import { GetContainerUsernameResponse_Status as Found, Tremplin } from "../../contract/tremplin_pb.js";
import { formatAddress, parseAddress } from "../../transport/address.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { HostApi } from "../host-client/host-api.ts";
import type { Io } from "../io.ts";
import { becomePerson } from "../ssh/person.ts";
import { configText, includeLine, usersIn } from "../ssh/ssh-config-text.ts";
import { addInclude, makeKey, sshFiles, writeConfig } from "../ssh/ssh-files.ts";

interface Flags extends HostFlags {
  readonly install?: true;
}

export function sshConfigCommand(io: Io): Command {
  const command = new Command("ssh-config").option(
    "--install",
    "make a key, and add one line to ~/.ssh/config, so that ssh NAME.tremplin works",
  );
  return withHostFlags(command, "none").action((flags: Flags) => sshConfig(flags, io));
}

async function sshConfig(flags: Flags, io: Io): Promise<void> {
  const { users, unknown } = await usersOf(flags, io);
  const person = await becomePerson();
  const files = sshFiles(person);
  const former = usersIn(await textIfReadable(files.config));
  for (const name of unknown) {
    const user = former.get(name);
    if (user !== undefined) users.set(name, user);
  }
  const program = [process.execPath, ...process.execArgv, process.argv[1] as string];
  const proxy = [...program, "ssh-proxy", ...hostArguments(flags), "--folder", files.folder];
  const text = configText({ files, proxy, users });
  if (!flags.install) {
    io.out(text);
    io.err("Nothing was changed; tremplin ssh-config --install makes the key and lets ssh read this.\n");
    return;
  }
  await makeKey(files);
  await writeConfig(files, text);
  const isNew = await addInclude(person, files);
  const line = includeLine(person.home, files.config);
  io.out("ssh NAME.tremplin works now, and so do scp, sftp, rsync and editors over ssh.\n");
  io.out(isNew ? `~/.ssh/config has the line "${line}" now.\n` : "~/.ssh/config was right already.\n");
  io.out(`To take it back: delete that line and the folder ${files.folder}.\n`);
}

interface Users {
  /** The containers of the guest that have a primary user. */
  readonly users: Map<string, string>;
  /** Those that may have one, which cannot be read now. */
  readonly unknown: readonly string[];
}

async function usersOf(flags: HostFlags, io: Io): Promise<Users> {
  using api = HostApi.open(flags);
  const settings = { signal: io.interrupted, timeout: 30_000 };
  const users = new Map<string, string>();
  const unknown: string[] = [];
  const { containers } = await api.call(Guest.method.listContainers, {}, settings);
  for (const { name: containerName } of containers) {
    const found = await api
      .call(Tremplin.method.getContainerUsername, { containerName }, settings)
      .catch(() => undefined);
    if (found?.status === Found.SUCCESS || found?.status === Found.CONTAINER_NOT_RUNNING) {
      if (found.username) users.set(containerName, plainText(found.username));
    } else if (found?.status !== Found.USER_NOT_FOUND) unknown.push(containerName);
  }
  io.interrupted.throwIfAborted();
  return { users, unknown };
}

/** The words that reach the same host and guest from any folder. */
export function hostArguments(flags: HostFlags): string[] {
  const file = (path: string | undefined) => (path === undefined ? undefined : resolve(path));
  const words: [string, string | undefined][] = [
    ["--host", formatAddress(parseAddress(flags.host))],
    ["--guest", flags.guest],
    ["--token-file", file(flags.tokenFile)],
    ["--tls-cert", file(flags.tlsCert)],
    ["--tls-key", file(flags.tlsKey)],
    ["--tls-ca", file(flags.tlsCa)],
    ["--tls-peer", file(flags.tlsPeer)],
    ["--tls-revoked", file(flags.tlsRevoked)],
  ];
  return words.flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]));
}
