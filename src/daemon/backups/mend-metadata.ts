import * as z from "zod";
import { TremplinError } from "../../base/tremplin-error.ts";
import { engineArchitecture } from "./architecture-name.ts";

type Fields = Readonly<Record<string, unknown>>;

interface Template extends Fields {
  readonly template: string;
}

/** A metadata.yaml in the form that every engine reads, with fields that no engine knows. */
export interface Metadata extends Fields {
  /** The engines' name. */
  readonly architecture: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly templates?: Readonly<Record<string, Template>>;
}

const scalar = z.union([z.string(), z.bigint(), z.number(), z.boolean()]);
const time = z.union([
  z
    .bigint()
    .positive()
    .max(2n ** 63n - 1n),
  z.number().positive(),
]);

/** What engines read. LXD 5.0.2 crashes on an image without properties. */
const engineSchema = z.looseObject({
  architecture: z.string().regex(/^[a-z0-9_]+$/),
  creation_date: time,
  expiry_date: time.or(z.literal(0n)).optional(),
  properties: z.record(z.string(), scalar),
  templates: z
    .record(
      z.string(),
      z.looseObject({
        template: z.string(),
        when: z.array(z.string()).nullish(),
        create_only: z.boolean().nullish(),
        properties: z.record(z.string(), scalar).nullish(),
      }),
    )
    .nullish(),
});

/** Seconds since 1970 beyond the year 5000 are milliseconds. */
const MAX_SECONDS = 100_000_000_000;

/**
 * Gives what a person wrote by hand the form that engines read: times in quotes or as dates, missing times and
 * properties, values of another type. `mended` are the names of the fields that no engine would have read. Throws
 * `invalid` with the rest of a sentence about the file. `now`: milliseconds since 1970.
 */
export function mendMetadata(value: unknown, now: number): { metadata: Metadata; mended: string[] } {
  if (!isMap(value)) throw invalid("it has no fields, such as a line `architecture: x86_64`");
  const { architecture, creation_date, expiry_date, properties, templates, ...others } = value;
  const name = textOf(architecture).trim();
  if (name === "")
    throw invalid("it does not name an architecture: add a line such as `architecture: x86_64`");
  const expires = secondsOf(expiry_date);
  const metadata = {
    architecture: engineArchitecture(name),
    creation_date: secondsOf(creation_date) ?? Math.floor(now / 1000),
    ...(expires !== undefined && { expiry_date: expires }),
    properties: textsOf("properties", properties),
    ...(templates != null && { templates: templatesOf(templates) }),
    ...others,
  };
  const { error } = engineSchema.safeParse(value);
  return { metadata, mended: [...new Set(error?.issues.map(({ path }) => String(path[0])))] };
}

function templatesOf(value: unknown): Record<string, Template> {
  const templates = Object.entries(mapOf("templates", value)).map(([target, each]) => {
    const { template, when, create_only, properties, ...others } = mapOf(`template for ${target}`, each);
    if (typeof template !== "string") throw invalid(`its template for ${target} names no file`);
    const mended = {
      ...(when != null && { when: [when].flat().map(textOf) }),
      ...(create_only != null && { create_only: textOf(create_only) === "true" }),
      template,
      ...(properties != null && { properties: textsOf("properties of a template", properties) }),
      ...others,
    };
    return [target, mended] as const;
  });
  return Object.fromEntries(templates);
}

/** Seconds since 1970, of a number, or of a text with a number or a date; undefined for anything else. */
function secondsOf(value: unknown): number | undefined {
  const text = textOf(value).trim();
  if (text === "") return undefined;
  const number = Number(text);
  const seconds = Number.isNaN(number) ? Date.parse(text) / 1000 : number;
  if (!(seconds > 0 && seconds <= MAX_SECONDS * 1000)) return undefined;
  return Math.floor(seconds <= MAX_SECONDS ? seconds : seconds / 1000);
}

/** A map of texts. Engines take any scalar for its text. */
function textsOf(what: string, value: unknown): Record<string, string> {
  if (value == null) return {};
  return Object.fromEntries(Object.entries(mapOf(what, value)).map(([key, each]) => [key, textOf(each)]));
}

/** The text of a scalar; empty for anything else. */
function textOf(value: unknown): string {
  return scalar.safeParse(value).success ? String(value) : "";
}

function mapOf(what: string, value: unknown): Fields {
  if (isMap(value)) return value;
  throw invalid(`its ${what} must be lines of a name and a value, indented below it`);
}

function isMap(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

function invalid(sentence: string): TremplinError {
  return new TremplinError("invalid", sentence);
}
