import { Command } from "commander";
import { tableText } from "../../base/table.ts";
import { jsonLine, plainText } from "../../base/text.ts";
import { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { HostApi } from "../host-client/host-api.ts";
import type { Io } from "../io.ts";

export function sharesCommand(io: Io): Command {
  const command = new Command("shares").argument("[name]", "the container (default: all)", containerName);
  return withHostFlags(command).action((name: string | undefined, flags: HostFlags) =>
    shares(name ?? "", flags, io),
  );
}

async function shares(name: string, flags: HostFlags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  const callSettings = { signal: io.interrupted, timeout: 30_000 };
  const answer = await api.call(Guest.method.listShares, { containerName: name }, callSettings);
  if (flags.json) {
    const documents = answer.shares.map(
      ({ containerName: container, source, path, readOnly, owner, problem }) => ({
        container,
        source,
        path,
        readOnly,
        ...(owner && { owner: { uid: owner.uid, gid: owner.gid } }),
        ...(problem && { problem }),
      }),
    );
    io.out(jsonLine({ shares: documents }));
    return;
  }
  if (answer.shares.length === 0) {
    const none = name ? `${name} has no share` : "no container has a share";
    io.err(`${none}; tremplin share ${name || "NAME"} FOLDER makes one\n`);
    return;
  }
  const rows = answer.shares.map((share) => [
    plainText(share.containerName),
    plainText(share.path),
    plainText(share.source),
    share.readOnly ? "read-only" : "",
    plainText(share.problem),
  ]);
  io.out(tableText([["CONTAINER", "PATH", "FOLDER", "", ""], ...rows], io.columns));
}
