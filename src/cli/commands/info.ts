import { create, toJson } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Command } from "commander";
import { tableText } from "../../base/table.ts";
import { jsonLine, plainText } from "../../base/text.ts";
import { errorMessage } from "../../base/tremplin-error.ts";
import { type Container, ContainerSchema } from "../../contract/tremplin/v1/guest_pb.js";
import { type ContainerInfo, ContainerInfoSchema } from "../../contract/tremplin/v1/host_pb.js";
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
import { findContainer } from "../host-client/list-containers.ts";
import type { Io } from "../io.ts";

export function infoCommand(io: Io): Command {
  const command = new Command("info").argument("<name>", "the container", containerName);
  return withHostFlags(command).action((name: string, flags: HostFlags) => info(name, flags, io));
}

async function info(name: string, flags: HostFlags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  const settings = { signal: io.interrupted, timeout: 30_000 };
  const found = await findContainer(api, name, io.interrupted);
  const container = found.container ?? create(ContainerSchema, { name });
  const primaryUser = await api
    .call(Tremplin.method.getContainerUsername, { containerName: name }, settings)
    .catch((thrown) => create(GetContainerUsernameResponseSchema, { failureReason: errorMessage(thrown) }));
  const isWithoutAddress = container.state === "running" && container.ipv4Address === "";
  const problems = (isWithoutAddress && (await findProblems(api, io.interrupted))) || [];
  if (flags.json) {
    const { username, homedir } = primaryUser;
    const document = toJson(ContainerSchema, container, { alwaysEmitImplicit: true }) as object;
    const advice = problems.map(({ problem, advice: text }) => ({ problem, advice: text }));
    const { ports, actions } = toJson(ContainerInfoSchema, found, { alwaysEmitImplicit: true }) as Record<
      string,
      unknown
    >;
    io.out(jsonLine({ ...document, username, homedir, ports, actions, problems: advice }));
    return;
  }
  io.out(
    tableText(
      rows(container, found, primaryUser).map(([key, value]) => [key, plainText(value)]),
      io.columns,
    ),
  );
  for (const problem of problems) io.err(`${problemText(problem)}\n`);
}

function rows(
  container: Container,
  { ports, actions }: ContainerInfo,
  primaryUser: GetContainerUsernameResponse,
): [string, string][] {
  const legal = actions.filter(({ refusal }) => refusal === "").map(({ action }) => action);
  const { createdAt, operation } = container;
  return [
    ["name", container.name],
    ["state", container.state],
    ["address", container.ipv4Address || "none"],
    ["image", container.image || "unknown"],
    ["created", createdAt ? timestampDate(createdAt).toISOString() : "unknown"],
    ["privileged", container.privileged ? "yes" : "no"],
    ["user", userText(primaryUser)],
    ["ports", ports.join(" ") || "none"],
    ["operation", operation || "none"],
    ["can", legal.join(", ") || "nothing now"],
  ];
}

function userText({ status, username, homedir, failureReason }: GetContainerUsernameResponse): string {
  if (status === Status.SUCCESS) return `${username} (${homedir})`;
  return status === Status.USER_NOT_FOUND ? "none yet" : `unknown: ${failureReason}`;
}
