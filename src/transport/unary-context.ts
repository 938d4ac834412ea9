import type { DescMethodUnary } from "@bufbuild/protobuf";
import { Code, ConnectError, type ContextValues, type HandlerContext } from "@connectrpc/connect";
import { parseTimeout } from "@connectrpc/connect/protocol-grpc";

interface CallFacts {
  readonly method: DescMethodUnary;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly values: ContextValues;
  /** Undefined: the caller waits without end. */
  readonly timeoutMs: number | undefined;
}

/** What a handler gets of its call. Each part is made when the handler asks for it, because most use few of them. */
export class UnaryContext implements HandlerContext {
  readonly protocolName = "grpc";
  readonly requestMethod = "POST";
  readonly method: DescMethodUnary;
  readonly values: ContextValues;
  readonly timeoutMs: () => number | undefined;
  readonly #facts: CallFacts;
  #requestHeader: Headers | undefined;
  #responseHeader: Headers | undefined;
  #responseTrailer: Headers | undefined;
  #controller: AbortController | undefined;
  #deadline: NodeJS.Timeout | undefined;
  /** Why the signal is aborted. */
  #ended: { readonly reason: unknown } | undefined;

  constructor(facts: CallFacts) {
    this.#facts = facts;
    this.method = facts.method;
    this.values = facts.values;
    const { timeoutMs } = facts;
    const end = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
    // Whole: what is passed on to another call has to be.
    this.timeoutMs = () => (end === undefined ? undefined : Math.ceil(end - performance.now()));
  }

  get service(): HandlerContext["service"] {
    return this.method.parent;
  }

  get url(): string {
    return `http://localhost${this.#facts.path}`;
  }

  get requestHeader(): Headers {
    this.#requestHeader ??= headersOf(this.#facts.headers);
    return this.#requestHeader;
  }

  get responseHeader(): Headers {
    this.#responseHeader ??= new Headers();
    return this.#responseHeader;
  }

  get responseTrailer(): Headers {
    this.#responseTrailer ??= new Headers();
    return this.#responseTrailer;
  }

  /** Aborts when the call has ended, its caller has gone, or does not wait any longer. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      const remaining = this.timeoutMs();
      if (this.#ended) this.#controller.abort(this.#ended.reason);
      else if (remaining !== undefined) {
        const late = (): void => this.end(new ConnectError("the operation timed out", Code.DeadlineExceeded));
        if (remaining <= 0) late();
        else this.#deadline = setTimeout(late, remaining);
      }
    }
    return this.#controller.signal;
  }

  /** Whether the signal has aborted, or would have if anybody had asked for it. */
  get hasEnded(): boolean {
    return this.#ended !== undefined || (this.timeoutMs() ?? 1) <= 0;
  }

  /** Undefined: it has ended well. */
  end(reason?: unknown): void {
    if (this.#ended) return;
    this.#ended = { reason };
    clearTimeout(this.#deadline);
    this.#controller?.abort(reason);
  }

  loseCaller(): void {
    if (!this.#ended) this.end(new ConnectError("the caller has gone", Code.Canceled));
  }

  /** The header of the answer, as Node wants it. */
  header(contentType: string): Record<string, string> {
    return { ...plain(this.#responseHeader), "content-type": contentType };
  }

  trailer(): Record<string, string> {
    return { "grpc-status": "0", ...plain(this.#responseTrailer) };
  }
}

/** 24 days. A longer timer of Node fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** The time that a caller waits; undefined for more than 24 days. `invalid` where that cannot be read. */
export function timeoutIn(header: unknown): number | undefined | "invalid" {
  if (header === undefined) return undefined;
  const { timeoutMs, error } = parseTimeout(`${header}`, Number.POSITIVE_INFINITY);
  if (error) return "invalid";
  return timeoutMs !== undefined && timeoutMs > MAX_TIMER_MS ? undefined : timeoutMs;
}

function headersOf(headers: CallFacts["headers"]): Headers {
  const made = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(":") || value === undefined) continue;
    if (typeof value === "string") made.append(name, value);
    else for (const each of value) made.append(name, each);
  }
  return made;
}

function plain(headers: Headers | undefined): Record<string, string> {
  return headers ? Object.fromEntries(headers) : {};
}
