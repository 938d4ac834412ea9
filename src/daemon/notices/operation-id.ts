import { randomBytes } from "node:crypto";

/** An id that no other operation or notice has: 16 hexadecimal digits. Older daemons gave 8. */
export function newOperationId(): string {
  return randomBytes(8).toString("hex");
}
