import type { IncomingMessage } from "node:http";
import { TremplinError } from "../../base/tremplin-error.ts";
import { engineError } from "./engine-error.ts";

/** A successful response. */
export interface Reply<Metadata> {
  /** Has the form that the engine's API documents for the request. */
  readonly metadata: Metadata;
  /** The version of the object; "" when the engine gives none. */
  readonly etag: string;
  /** Whether `metadata` is an operation that continues in the background. */
  readonly async: boolean;
}

/** An error response: the cause of the TremplinError that readReply throws. */
export interface Refusal {
  /**
   * The HTTP status. Incus sends 200 when it had to start the response before it knew the result
   * (docs/engines.md#operations-and-events).
   */
  readonly status: number;
  readonly code: number;
  readonly message: string;
}

/** The error response behind an error; undefined for any other error, as of a lost connection. */
export function refusalOf(error: unknown): Refusal | undefined {
  const cause = error instanceof TremplinError ? (error.cause as Partial<Refusal> | undefined) : undefined;
  // The causes of other errors have a message too, but no status.
  return typeof cause?.status === "number" ? (cause as Refusal) : undefined;
}

interface Envelope {
  readonly type?: string;
  readonly metadata?: unknown;
  readonly error?: string;
  readonly error_code?: number;
}

/** No response of an engine is larger; it limits one that never ends. */
const MAX_REPLY_BYTES = 64 * 1024 * 1024;

/** Reads a response to its end. Throws the error that an error response means (see engineError). */
export async function readReply<Metadata>(answer: IncomingMessage, action: string): Promise<Reply<Metadata>> {
  const envelope = parse(await readText(answer, action));
  const status = answer.statusCode ?? 0;
  if (envelope?.type === "error" || status >= 300 || !envelope) {
    // A 404 of a proxy or of another server at the address says nothing about the engine's objects.
    if (status === 404 && envelope?.type !== "error") {
      throw new TremplinError(
        "unavailable",
        `${action} was answered with HTTP 404 by a server that is no engine`,
      );
    }
    const message = envelope?.error || `HTTP ${status} ${answer.statusMessage ?? ""}`;
    const code = envelope?.error_code || status;
    const refusal: Refusal = { status, code, message };
    throw engineError(code, message, action, refusal);
  }
  const etag = answer.headers.etag ?? "";
  return { metadata: envelope.metadata as Metadata, etag, async: envelope.type === "async" };
}

async function readText(answer: IncomingMessage, action: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_REPLY_BYTES) throw new TremplinError("failed", `the response to ${action} is too long`);
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
