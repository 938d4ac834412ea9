import type { TremplinError } from "../../base/tremplin-error.ts";

interface OnContainer {
  readonly containerName: string;
}

/** How an operation on a container says that it failed or was cancelled, where nothing but the reason is to be told. */
export function failureMessages<Status>(status: { readonly FAILED: Status; readonly CANCELLED: Status }) {
  const ending =
    (word: Status) =>
    ({ containerName }: OnContainer, { message }: TremplinError) => ({
      containerName,
      status: word,
      failureReason: message,
    });
  return { failed: ending(status.FAILED), cancelled: ending(status.CANCELLED) };
}
