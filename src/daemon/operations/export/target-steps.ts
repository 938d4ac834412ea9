import * as z from "zod";
import { fileIdentitySchema } from "../../../base/files/file-identity.ts";
import { flagText, jsonText } from "../../../base/text-codecs.ts";
import type { OperationContext } from "../runner/operation.ts";

/** Which file is written, and how. */
const planSchema = z.discriminatedUnion("how", [
  /** No file had the name: a temporary file gets it in the end. */
  z.object({ how: z.literal("new"), folder: z.string(), name: z.string() }),
  /** A file has the name: a temporary file replaces it in the end. */
  z.object({ how: z.literal("replace"), folder: z.string(), name: z.string() }),
  /** An empty file has the name, and is written in place. */
  z.object({ how: z.literal("in-place"), folder: z.string(), name: z.string(), file: fileIdentitySchema }),
  /** A temporary file gets a name made from its fingerprint in this folder. */
  z.object({ how: z.literal("folder"), folder: z.string() }),
]);
export type TargetPlan = z.infer<typeof planSchema>;

const headSchema = z.object({
  /** Bytes. */
  length: z.number(),
  sha256: z.string(),
});
/** The first bytes of a file. */
export type FileHead = z.infer<typeof headSchema>;

const packedSchema = z.object({
  name: z.string(),
  file: fileIdentitySchema,
  /** The final message once the backup has its name. */
  message: z.string(),
});
/** A whole backup. */
export type PackedFile = z.infer<typeof packedSchema>;

/** The journal steps of a backup that is written into the shared folder. */
export const targetSteps = {
  /** Written before any file is made. */
  target: jsonText(planSchema),
  /** The head of an unfinished backup that is written in place. */
  beginning: jsonText(headSchema),
  /** Written before the whole backup gets its name. */
  packed: jsonText(packedSchema),
  /** The whole backup has its name, and both are on the disk. */
  published: flagText,
};

/** What is needed of an operation that writes a backup. */
export type TargetContext = Pick<OperationContext<typeof targetSteps>, "id" | "steps" | "step" | "log">;

/** The name of an unfinished backup. */
export function temporaryFileName(operationId: string): string {
  return `.tremplin-export-${operationId}`;
}
