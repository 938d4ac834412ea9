import * as z from "zod";
import { fileIdentitySchema } from "../../../base/files/file-identity.ts";
import type { Steps } from "../../notices/journal.ts";
import type { OperationContext } from "../runner/operation.ts";

/** What is needed of an operation to write a file into the shared folder. */
export type TargetContext = Pick<OperationContext, "id" | "steps" | "step" | "log">;

/** The step of the journal that says what is written, and how. It is noted before anything is made. */
const TARGET = "target";
/** The step that says how the unfinished backup begins in an empty file that is written itself. */
const BEGINNING = "beginning";
/** The step that says which file is the whole backup. It is noted before that gets its name. */
const PACKED = "packed";
/** The step that says that the whole backup has its name, and that both are on the disk. */
const PUBLISHED = "published";

const targetSchema = z.discriminatedUnion("how", [
  /** Nothing had the name: a temporary file gets it in the end. */
  z.object({ how: z.literal("new"), folder: z.string(), name: z.string() }),
  /** A file has the name: a temporary file takes its place in the end. */
  z.object({ how: z.literal("replace"), folder: z.string(), name: z.string() }),
  /** An empty file has the name, and is written itself. */
  z.object({ how: z.literal("in-place"), folder: z.string(), name: z.string(), file: fileIdentitySchema }),
  /** A temporary file gets a name of its own in this folder. */
  z.object({ how: z.literal("folder"), folder: z.string() }),
]);
export type TargetNote = z.infer<typeof targetSchema>;

const beginningSchema = z.object({
  /** Bytes. */
  length: z.number(),
  sha256: z.string(),
});
export type BeginningNote = z.infer<typeof beginningSchema>;

const packedSchema = z.object({
  name: z.string(),
  file: fileIdentitySchema,
  /** What to say of the backup once it has its name. */
  message: z.string(),
});
export type PackedNote = z.infer<typeof packedSchema>;

/** What a backup is called until it is whole; nobody else calls a file so. */
export function temporaryName(operationId: string): string {
  return `.tremplin-export-${operationId}`;
}

export const noteTarget = ({ step }: TargetContext, note: TargetNote): Promise<void> =>
  step(TARGET, JSON.stringify(note));

export const noteTargetBeginning = ({ step }: TargetContext, note: BeginningNote): Promise<void> =>
  step(BEGINNING, JSON.stringify(note));

export const notePacked = ({ step }: TargetContext, note: PackedNote): Promise<void> =>
  step(PACKED, JSON.stringify(note));

export const notePublished = ({ step }: TargetContext): Promise<void> => step(PUBLISHED);

export interface TargetNotes {
  readonly target: TargetNote | undefined;
  readonly beginning: BeginningNote | undefined;
  readonly packed: PackedNote | undefined;
  readonly isPublished: boolean;
}

/** What another version noted, and this one cannot read, is as good as not noted: then nothing is touched. */
export function readTargetNotes(steps: Steps): TargetNotes {
  return {
    target: read(targetSchema, steps[TARGET]),
    beginning: read(beginningSchema, steps[BEGINNING]),
    packed: read(packedSchema, steps[PACKED]),
    isPublished: steps[PUBLISHED] !== undefined,
  };
}

function read<T>(schema: z.ZodType<T>, text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
