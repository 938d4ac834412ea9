import type { IncomingMessage } from "node:http";
import { TremplinError } from "../../base/tremplin-error.ts";
import { engineError } from "./engine-error.ts";

/** What the engine answered with success. */
export interface Reply<Metadata> {
  /** Of the shape that the engine's API documents for this request. */
  readonly metadata: Metadata;
  /** Which version of the object this is; "" where the engine gives none. */
  readonly etag: string;
  /** Whether it answered with an operation (its metadata) that goes on in the background. */
  readonly async: boolean;
}

/** What the engine answered with an error: the cause of the TremplinError that readReply throws. */
export interface Refusal {
  /** The status of HTTP itself; Incus says 200 where it had to answer before it knew (engines.md 2.0). */
  readonly status: number;
  readonly code: number;
  readonly words: string;
}

/** What the engine said, of an error that is its refusal; undefined for any other error. */
export function refusalOf(error: unknown): Refusal | undefined {
  const cause = error instanceof TremplinError ? (error.cause as Partial<Refusal> | undefined) : undefined;
  return typeof cause?.words === "string" ? (cause as Refusal) : undefined;
}

interface Envelope {
  readonly type?: string;
  readonly metadata?: unknown;
  readonly error?: string;
  readonly error_code?: number;
}

/** More than any answer of an engine; a bound against one that never stops. */
const mostBytes = 64 * 1024 * 1024;

/** Reads an answer to its end. Throws what the engine's error means (see engineError). */
export async function readReply<Metadata>(answer: IncomingMessage, doing: string): Promise<Reply<Metadata>> {
  const envelope = parse(await readText(answer, doing));
  const status = answer.statusCode ?? 0;
  if (envelope?.type === "error" || status >= 300 || !envelope) {
    // Somebody else's 404 (a proxy, another server at the address) says nothing of what the engine has.
    if (status === 404 && envelope?.type !== "error") {
      throw new TremplinError("unavailable", `who answered ${doing} with HTTP 404 is no engine`);
    }
    const words = envelope?.error || `HTTP ${status} ${answer.statusMessage ?? ""}`;
    const code = envelope?.error_code || status;
    const refusal: Refusal = { status, code, words };
    throw engineError(code, words, doing, refusal);
  }
  const etag = answer.headers.etag ?? "";
  return { metadata: envelope.metadata as Metadata, etag, async: envelope.type === "async" };
}

async function readText(answer: IncomingMessage, doing: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > mostBytes) throw new TremplinError("failed", `the answer to ${doing} is too long`);
  }
  return Buffer.concat(chunks).toString();
}

function parse(text: string): Envelope | undefined {
  try {
    return JSON.parse(text) as Envelope;
  } catch {
    return undefined;
  }
}
