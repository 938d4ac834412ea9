import { create, toJson } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Command } from "commander";
import { jsonLine, plainText, tableText } from "../../base/text.ts";
import { errorMessage, TremplinError } from "../../base/tremplin-error.ts";
import { type Container, ContainerSchema, Guest } from "../../contract/tremplin/v1/guest_pb.js";
import {
  type GetContainerUsernameResponse,
  GetContainerUsernameResponseSchema,
  GetContainerUsernameResponse_Status as Status,
  Tremplin,
} from "../../contract/tremplin_pb.js";
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { findProblems, problemText } from "../host-client/find-problems.ts";
import { HostApi } from "../host-client/host-api.ts";
import type { Io } from "../io.ts";

export function infoCommand(io: Io): Command {
  const command = new Command("info").argument("<name>", "the container", containerName);
  return withHostFlags(command).action((name: string, flags: HostFlags) => info(name, flags, io));
}

async function info(name: string, flags: HostFlags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  const settings = { signal: io.interrupted, timeout: 30_000 };
  const { containers } = await api.call(Guest.method.listContainers, {}, settings);
  const container = containers.find((each) => each.name === name);
  if (!container)
    throw new TremplinError("not-found", `there is no container ${name}; tremplin list shows all`);
  const primaryUser = await api
    .call(Tremplin.method.getContainerUsername, { containerName: name }, settings)
    .catch((thrown) => create(GetContainerUsernameResponseSchema, { failureReason: errorMessage(thrown) }));
  const isWithoutAddress = container.state === "running" && container.ipv4Address === "";
  const problems = (isWithoutAddress && (await findProblems(api, io.interrupted))) || [];
  if (flags.json) {
    const { username, homedir } = primaryUser;
    const document = toJson(ContainerSchema, container, { alwaysEmitImplicit: true }) as object;
    const found = problems.map(({ problem, advice }) => ({ problem, advice }));
    io.out(jsonLine({ ...document, username, homedir, problems: found }));
    return;
  }
  io.out(tableText(rows(container, primaryUser).map(([key, value]) => [key, plainText(value)])));
  for (const problem of problems) io.err(`${problemText(problem)}\n`);
}

function rows(container: Container, primaryUser: GetContainerUsernameResponse): [string, string][] {
  const { createdAt, operation } = container;
  return [
    ["name", container.name],
    ["state", container.state],
    ["address", container.ipv4Address || "none"],
    ["image", container.image || "unknown"],
    ["created", createdAt ? timestampDate(createdAt).toISOString() : "unknown"],
    ["privileged", container.privileged ? "yes" : "no"],
    ["user", userText(primaryUser)],
    ["operation", operation || "none"],
  ];
}

function userText({ status, username, homedir, failureReason }: GetContainerUsernameResponse): string {
  if (status === Status.SUCCESS) return `${username} (${homedir})`;
  return status === Status.USER_NOT_FOUND ? "none yet" : `unknown: ${failureReason}`;
}
