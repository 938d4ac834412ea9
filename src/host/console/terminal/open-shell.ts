import type { MessageInitShape } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import {
  Guest as GuestService,
  type ShellInputSchema,
  type ShellOutput,
} from "../../../contract/tremplin/v1/guest_pb.js";
import type { Guest } from "../../guest.ts";

export type ShellInputs = AsyncIterable<MessageInitShape<typeof ShellInputSchema>>;

/** Runs a program in a container of a guest. Throws the guest's own error, or why it cannot be reached. */
export type OpenShell = (
  guest: string,
  inputs: ShellInputs,
  signal: AbortSignal,
) => AsyncIterable<ShellOutput>;

/** `get`: throws where there is no guest of a name. */
export function shellsOf(get: (name: string) => Guest): OpenShell {
  return async function* (name, inputs, signal) {
    const guest = get(name);
    try {
      yield* createClient(GuestService, guest.connection.transport).shell(inputs, { signal });
    } catch (error) {
      throw guest.explain(error);
    }
  };
}
