import type {
  DescMessage,
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import { notesIn } from "../../base/notes.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { type Address, formatAddress, parseAddress } from "../../transport/address.ts";
import { type Connection, dial } from "../../transport/client.ts";
import { OPERATION_METADATA, operationIdIn } from "../../transport/operation-id.ts";
import type { Tls } from "../../transport/tls.ts";
import { type HostFlags, tlsOf, tokenOf } from "../flags/host-flags.ts";
import { hostError } from "./host-error.ts";

/** The longest that a guest may take to answer (docs/contract.md#deadlines). */
const CALL_TIMEOUT_MS = 120_000;

export interface CallSettings {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds. Default: two minutes for an answer, none for a stream. */
  readonly timeout?: number;
  /** Apply the call to this operation only. */
  readonly operation?: string | undefined;
  /** Called with the id of the operation that the call began, where the guest reports it. */
  readonly onOperation?: (id: string) => void;
  /** Called with each sentence that the person should know. */
  readonly onNote?: (note: string) => void;
}

/** What a host on tcp asks for. */
interface HostCredentials {
  readonly tls?: Tls | undefined;
  readonly token?: string | undefined;
}

/** The host as the commands use it: every call goes to the chosen guest, every error is a TremplinError. */
export class HostApi implements Disposable {
  /** The chosen guest; empty where the host has only one. */
  readonly guest: string;
  readonly address: string;
  readonly #connection: Connection;

  constructor(address: Address, guest: string, { tls, token }: HostCredentials = {}) {
    this.#connection = dial(address, { tls, token, peer: { kind: "host" } });
    this.address = formatAddress(address);
    this.guest = guest;
  }

  static open(flags: HostFlags): HostApi {
    const address = parseAddress(flags.host);
    const isClear = address.kind === "tcp" && !flags.tlsCert;
    const credentials = { tls: tlsOf(flags), token: isClear ? tokenOf(flags) : undefined };
    return new HostApi(address, flags.guest ?? "", credentials);
  }

  async call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    input: MessageInitShape<I>,
    { signal, timeout = CALL_TIMEOUT_MS, operation, onOperation, onNote }: CallSettings = {},
  ): Promise<MessageShape<O>> {
    try {
      const { transport } = this.#connection;
      const metadata = {
        ...this.#metadata,
        ...(operation !== undefined && { [OPERATION_METADATA]: operation }),
      };
      const { header, message } = await transport.unary(method, signal, timeout, metadata, input);
      const begun = operationIdIn(header);
      if (begun !== undefined) onOperation?.(begun);
      if (onNote) for (const note of notesIn(header)) onNote(note);
      return message;
    } catch (thrown) {
      signal?.throwIfAborted();
      throw this.#error(thrown, method);
    }
  }

  stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    input: MessageInitShape<I>,
    settings: CallSettings = {},
  ): AsyncGenerator<MessageShape<O>, void, void> {
    return this.bidiStream(method, once(input), settings);
  }

  /** Calls a method with a stream of inputs. */
  async *bidiStream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O> | DescMethodBiDiStreaming<I, O>,
    inputs: AsyncIterable<MessageInitShape<I>>,
    { signal, timeout }: CallSettings = {},
  ): AsyncGenerator<MessageShape<O>, void, void> {
    const source = { error: undefined as TremplinError | undefined };
    try {
      const { transport } = this.#connection;
      const watched = rememberError(inputs, source);
      yield* (await transport.stream(method, signal, timeout, this.#metadata, watched)).message;
    } catch (thrown) {
      signal?.throwIfAborted();
      if (source.error) throw source.error;
      throw this.#error(thrown, method);
    }
  }

  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]();
  }

  #error(thrown: unknown, method: DescMethod): TremplinError {
    const unanswered = this.#connection.whyUnanswered(thrown);
    return hostError(thrown, { address: this.address, method, unanswered });
  }

  get #metadata(): Record<string, string> {
    return this.guest ? { "tremplin-guest": this.guest } : {};
  }
}

/** An error of the inputs ends the call, but is none of the connection. */
async function* rememberError<T>(
  inputs: AsyncIterable<T>,
  source: { error: TremplinError | undefined },
): AsyncGenerator<T, void, void> {
  try {
    yield* inputs;
  } catch (thrown) {
    source.error = TremplinError.from(thrown);
    throw thrown;
  }
}

async function* once<T>(value: T): AsyncGenerator<T, void, void> {
  yield value;
}
