import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { systemErrorText } from "../../base/system-error.ts";
import { bytesText, plainText } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";

/** The error for a file of this computer that could not be written. `bytes`: how many of it had to fit. */
export async function cannotWrite(path: string, error: unknown, bytes = 0): Promise<TremplinError> {
  if (error instanceof TremplinError) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOSPC" || code === "EDQUOT") {
    const free = await statfs(dirname(path)).catch(() => undefined);
    const has =
      free && code === "ENOSPC" ? `${bytesText(free.bavail * free.bsize)} are free` : "its quota is used up";
    const sentence = `there is no space for ${plainText(path)}: it needs ${bytesText(bytes)}, and ${has}`;
    return new TremplinError("failed", sentence, error);
  }
  return new TremplinError("failed", `cannot write ${plainText(path)}: ${systemErrorText(error)}`, error);
}

/** The error for a file of this computer that could not be read. */
export function cannotRead(path: string, error: unknown): TremplinError {
  if (error instanceof TremplinError) return error;
  return new TremplinError("failed", `cannot read ${plainText(path)}: ${systemErrorText(error)}`, error);
}
