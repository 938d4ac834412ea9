import { Command } from "commander";
import { TremplinError } from "../../base/tremplin-error.ts";
import {
  GetContainerUsernameResponse_Status as Found,
  SetUpUserResponse_Status as SetUp,
  Tremplin,
} from "../../contract/tremplin_pb.js";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { HostApi } from "../host-client/host-api.ts";
import type { Io } from "../io.ts";
import { refusal } from "../text/refusal.ts";
import { plainText } from "../text/text.ts";

export function userCommand(io: Io): Command {
  const command = new Command("user")
    .argument("<name>", "the container")
    .argument("[user]", "who to set it up for, if it has no person yet; without, who the person is");
  return withHostFlags(command).action(
    async (container: string, wanted: string | undefined, flags: HostFlags) => {
      using api = HostApi.open(flags);
      const username = await (wanted ? setUp(api, container, wanted, io) : find(api, container, io));
      if (flags.json) io.out(`${JSON.stringify({ container, username })}\n`);
      else io.out(`${container}: is set up for ${plainText(username)}\n`);
    },
  );
}

async function setUp(
  api: HostApi,
  containerName: string,
  containerUsername: string,
  io: Io,
): Promise<string> {
  const { status, username, failureReason } = await api.call(
    Tremplin.method.setUpUser,
    { containerName, containerUsername },
    { signal: io.interrupted, timeout: 60_000 },
  );
  if (status === SetUp.SUCCESS || status === SetUp.EXISTS) {
    if (username === containerUsername) return username;
    const sentence = `${containerName} is set up for ${plainText(username)} already`;
    throw new TremplinError("exists", `${sentence}: nothing was changed for ${containerUsername}`);
  }
  const title = `setting up ${containerUsername} in ${containerName}`;
  // The guest keeps names out of its reasons; whoever asked knows it.
  const reason = failureReason.replaceAll("$USERNAME", () => username || containerUsername);
  throw await refusal(api, title, containerName, reason, true);
}

async function find(api: HostApi, containerName: string, io: Io): Promise<string> {
  const { status, username, failureReason } = await api.call(
    Tremplin.method.getContainerUsername,
    { containerName },
    { signal: io.interrupted, timeout: 60_000 },
  );
  if (status === Found.SUCCESS) return username;
  if (status === Found.USER_NOT_FOUND) {
    const advice = `tremplin user ${containerName} NAME sets one up`;
    throw new TremplinError("not-found", `${containerName} has no person yet: ${advice}`);
  }
  throw await refusal(api, `looking into ${containerName}`, containerName, failureReason, true);
}
