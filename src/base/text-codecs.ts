import * as z from "zod";

/** A value that is stored as JSON text. */
export function jsonText<T extends z.ZodType>(schema: T) {
  return z.codec(z.string(), schema, {
    decode(text, { issues }) {
      try {
        return JSON.parse(text) as z.input<T>;
      } catch {
        issues.push({ code: "custom", message: "it is not JSON", input: text });
        return z.NEVER;
      }
    },
    encode: (value) => JSON.stringify(value),
  });
}

/** A fact that has no value of its own: any text means that it holds, and `done` is written for it. */
export const flagText = z.codec(z.string(), z.literal(true), {
  decode: () => true as const,
  encode: () => "done",
});
