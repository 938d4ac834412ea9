import { randomBytes } from "node:crypto";

/** A unique id for an operation or a notice: 16 hexadecimal digits. Older versions gave 8. */
export function newOperationId(): string {
  return randomBytes(8).toString("hex");
}
