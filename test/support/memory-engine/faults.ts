/** A request that is held back until the test lets it go on. */
export interface HeldRequest {
  /** Resolves when the request has come, and its operation, if it starts one, is announced. */
  readonly reached: Promise<void>;
  /** Lets it go on. */
  release(): void;
  /** Makes it fail with these words instead. */
  fail(words: string): void;
  /** Changes the metadata of its operation: progress. */
  progress(metadata: Readonly<Record<string, unknown>>): void;
}

export interface HoldOptions {
  /** Whether the operation may be cancelled meanwhile. Default false. */
  readonly mayCancel?: boolean;
}

/** One request that fails, or waits for the test. */
export class Fault implements HeldRequest {
  readonly method: string;
  readonly path: RegExp;
  readonly mayCancel: boolean;
  /** Whether the request itself is refused, with this status, and not only its operation fails. */
  readonly isRefused: boolean;
  readonly status: number;
  readonly reached: Promise<void>;
  readonly #reached = Promise.withResolvers<void>();
  readonly #outcome = Promise.withResolvers<string | undefined>();
  #progress: ((metadata: Readonly<Record<string, unknown>>) => void) | undefined;

  constructor(method: string, path: RegExp, { mayCancel = false, isRefused = false, status = 500 } = {}) {
    this.method = method;
    this.path = path;
    this.mayCancel = mayCancel;
    this.isRefused = isRefused;
    this.status = status;
    this.reached = this.#reached.promise;
  }

  /** Resolves when the test has decided: the words of a failure, or undefined to go on. */
  get outcome(): Promise<string | undefined> {
    return this.#outcome.promise;
  }

  /** Called when the request is there; `progress` changes the metadata of its operation. */
  reach(progress?: (metadata: Readonly<Record<string, unknown>>) => void): void {
    this.#progress = progress;
    this.#reached.resolve();
  }

  release(): void {
    this.#outcome.resolve(undefined);
  }

  fail(words: string): void {
    this.#outcome.resolve(words);
  }

  progress(metadata: Readonly<Record<string, unknown>>): void {
    this.#progress?.(metadata);
  }
}

/** The faults that wait for their requests; each is of one request, the oldest first. */
export class Faults {
  readonly #waiting: Fault[] = [];

  add(fault: Fault): Fault {
    this.#waiting.push(fault);
    return fault;
  }

  /** The fault of this request, which is used up by that. */
  take(method: string, path: string): Fault | undefined {
    const index = this.#waiting.findIndex((fault) => fault.method === method && fault.path.test(path));
    return index < 0 ? undefined : this.#waiting.splice(index, 1)[0];
  }
}
