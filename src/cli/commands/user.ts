import { Command } from "commander";
import { jsonLine, plainText } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import {
  GetContainerUsernameResponse_Status as Found,
  SetUpUserResponse_Status as SetUp,
  Tremplin,
} from "../../contract/tremplin_pb.js";
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { type CallSettings, HostApi } from "../host-client/host-api.ts";
import { refusalError } from "../host-client/refusal-error.ts";
import type { Io } from "../io.ts";

export function userCommand(io: Io): Command {
  const command = new Command("user")
    .argument("<name>", "the container", containerName)
    .argument(
      "[user]",
      "the primary user to create, if there is none yet; without it, print the primary user",
    );
  return withHostFlags(command).action(
    async (container: string, wanted: string | undefined, flags: HostFlags) => {
      using api = HostApi.open(flags);
      const onNote = (note: string) => io.err(`${container}: ${plainText(note)}\n`);
      const username = await (wanted
        ? setUpPrimaryUser(api, container, wanted, { signal: io.interrupted, onNote })
        : find(api, container, io));
      if (flags.json) io.out(jsonLine({ container, username }));
      else io.out(`${container}: the primary user is ${plainText(username)}\n`);
    },
  );
}

/** Creates the primary user. Throws `exists` where another account is that. */
export async function setUpPrimaryUser(
  api: HostApi,
  containerName: string,
  containerUsername: string,
  settings: Pick<CallSettings, "signal" | "onNote">,
): Promise<string> {
  const { status, username, failureReason } = await api.call(
    Tremplin.method.setUpUser,
    { containerName, containerUsername },
    { ...settings, timeout: 60_000 },
  );
  if (status === SetUp.SUCCESS || status === SetUp.EXISTS) {
    if (username === containerUsername) return username;
    const sentence = `the primary user of ${containerName} is already ${plainText(username)}`;
    throw new TremplinError("exists", `${sentence}; ${containerUsername} was not created`);
  }
  const title = `setting up ${containerUsername} in ${containerName}`;
  // The guest keeps user names out of its reasons.
  const reason = failureReason.replaceAll("$USERNAME", () => username || containerUsername);
  throw await refusalError(api, title, containerName, reason, true);
}

async function find(api: HostApi, containerName: string, io: Io): Promise<string> {
  const { status, username, failureReason } = await api.call(
    Tremplin.method.getContainerUsername,
    { containerName },
    { signal: io.interrupted, timeout: 60_000 },
  );
  if (status === Found.SUCCESS) return username;
  if (status === Found.USER_NOT_FOUND) {
    const advice = `tremplin user ${containerName} NAME creates one`;
    throw new TremplinError("not-found", `${containerName} has no primary user yet: ${advice}`);
  }
  throw await refusalError(
    api,
    `reading the accounts of ${containerName}`,
    containerName,
    failureReason,
    true,
  );
}
