import type { FileHandle } from "node:fs/promises";
import { bytesOfFile } from "../../base/files/files.ts";
import { systemErrorText } from "../../base/system-error.ts";
import { TremplinError } from "../../base/tremplin-error.ts";

/** The bytes of a backup from its beginning. Throws `failed` where its disk or its share fails. */
export async function* bytesOfBackup(file: FileHandle): AsyncGenerator<Buffer, void, void> {
  const bytes = bytesOfFile(file);
  for (;;) {
    const { done, value } = await bytes.next().catch((error) => {
      throw new TremplinError("failed", `cannot read the backup: ${systemErrorText(error)}`, error);
    });
    if (done) return;
    yield value;
  }
}
