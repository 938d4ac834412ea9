import * as z from "zod";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type { Journal, JournalEntry, StepTexts } from "../../notices/journal.ts";

/** The steps of a kind of operation: name to a codec from the text in the journal to the value. */
export type StepSchemas = Readonly<Record<string, z.ZodType<unknown, string>>>;

export type NoSteps = Readonly<Record<never, never>>;

/** The steps that an operation has taken. */
export type StepValues<S extends StepSchemas> = { readonly [N in keyof S]?: z.output<S[N]> };

/** One step: its name and its value, which a mere flag has not. */
export type StepArguments<S extends StepSchemas> = {
  [N in keyof S & string]: true extends z.output<S[N]> ? [name: N] : [name: N, value: z.output<S[N]>];
}[keyof S & string];

/** The steps of one operation. Steps that this version does not know stay in the journal. */
export class OperationSteps {
  readonly #id: string;
  readonly #schemas: StepSchemas;
  readonly #journal: Pick<Journal, "change">;
  #values: StepValues<StepSchemas>;

  /** Throws `invalid` for a step that this version does not understand. */
  constructor(schemas: StepSchemas, { id, steps }: JournalEntry, journal: Pick<Journal, "change">) {
    this.#id = id;
    this.#schemas = schemas;
    this.#journal = journal;
    this.#values = decodeSteps(schemas, steps);
  }

  /** Only what is on disk. */
  get values(): StepValues<StepSchemas> {
    return this.#values;
  }

  /** Durable when it resolves; when it rejects the step was not taken. */
  async add(name: string, value: unknown = true): Promise<void> {
    const schema = this.#schemas[name];
    if (!schema) throw new Error(`the kind of operation declares no step ${name}`);
    const text = z.encode(schema, value);
    await this.#journal.change(this.#id, (entry) => ({ ...entry, steps: { ...entry.steps, [name]: text } }));
    this.#values = { ...this.#values, [name]: value };
  }
}

function decodeSteps(schemas: StepSchemas, texts: StepTexts): StepValues<StepSchemas> {
  const known = Object.entries(schemas).filter(([name]) => name in texts);
  return Object.fromEntries(known.map(([name, schema]) => [name, decodeStep(name, schema, texts[name])]));
}

function decodeStep(name: string, schema: StepSchemas[string], text: string | undefined): unknown {
  const { success, data, error } = schema.safeParse(text);
  if (success) return data;
  throw new TremplinError("invalid", `this version does not understand its step "${name}"`, error);
}
