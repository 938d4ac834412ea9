import { posix } from "node:path";
import { bytesText } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { FileSession } from "../../engine/files/file-session.ts";
import { displayText } from "../guest/lossless-text.ts";

/** What an access to files was for. */
export interface Access {
  readonly container: string;
  /** Latin1. */
  readonly path: string;
  readonly verb: "read" | "written";
  /** How many bytes had to fit. */
  readonly bytes?: number;
}

/** The error for people of an access that failed; one of the connection, or of a call that ends, stays itself. */
export async function fileError(thrown: unknown, files: FileSession, access: Access): Promise<TremplinError> {
  const error = TremplinError.from(thrown);
  if (error.code !== "failed" && error.code !== "not-found") return error;
  const { container, verb } = access;
  // Other sentences are for people already.
  if (!error.message.startsWith("/") || !error.message.includes(` in ${container}: `)) return error;
  const path = displayText(access.path);
  if (/no space left|quota exceeded/i.test(error.message)) return await noSpaceError(files, access);
  if (/read-only file system/i.test(error.message)) {
    return new TremplinError(
      "failed",
      `${path} cannot be written: its file system in ${container} is read-only`,
    );
  }
  // Not found is only what the engine answers for a container.
  if (error.code === "not-found") {
    return new TremplinError("failed", `there is no ${path} in ${container}`, error);
  }
  return new TremplinError("failed", `${path} in ${container} cannot be ${verb}: ${reasonOf(error)}`, error);
}

/** The last part of the engine's message: the others repeat the path. */
export function reasonOf(error: TremplinError): string {
  return displayText(error.message.split(": ").at(-1) ?? "");
}

async function noSpaceError(files: FileSession, access: Access): Promise<TremplinError> {
  const { path, bytes = 0 } = access;
  const space = await files.freeSpace(posix.dirname(path)).catch(() => undefined);
  return noRoomError(access, bytes, space?.free);
}

/** The error for what does not fit, with what it needs and what is free. */
export function noRoomError(
  { container, path }: Pick<Access, "container" | "path">,
  bytes: number,
  free: number | undefined,
): TremplinError {
  const needs = `there is no space for ${displayText(path)} in ${container}: it needs ${bytesText(bytes)}`;
  const has = free === undefined ? "its quota is used up" : `${bytesText(free)} are free`;
  const advice = `delete something there, or give it more (tremplin get ${container})`;
  return new TremplinError("failed", `${needs}, and ${has}; ${advice}`);
}
