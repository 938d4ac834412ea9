import type { Readable } from "node:stream";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { MemberRules } from "./member-rules.ts";
import { sandboxed, type UnpackTarget } from "./sandbox.ts";
import { Subprocess } from "./subprocess.ts";
import { parseListing, type TarMember } from "./tar-member.ts";

/** The longest name and the longest target of a link, each byte written as four. */
const MAX_LINE_LENGTH = 64 * 1024;

/** Zeros do not end it: all is read, so that its unpacker comes to the checksum, and nothing hides behind them. */
const LIST_OPTIONS = [
  "-ivvRf",
  "-",
  "--quoting-style=c",
  "--numeric-owner",
  "--force-local",
  "--blocking-factor=512",
] as const;
/** As an engine unpacks it. */
const EXTRACT_OPTIONS = ["--same-permissions", "--xattrs", "--xattrs-include=*", "--acls"] as const;

/**
 * Looks through a plain archive that goes by: its members are listed by the same program that unpacks it, so that
 * nothing can look like one thing here and like another there.
 */
export class ArchiveCheck implements AsyncDisposable {
  readonly #tar: Subprocess;
  readonly #rules: MemberRules;
  readonly #unpacks: boolean;
  readonly #listed: Promise<boolean>;
  #rejected = false;
  #bytes = 0;

  /** `home`: unpacks it there on the way, instead of only looking. */
  constructor(rules: MemberRules, signal: AbortSignal, home?: UnpackTarget) {
    const command = [
      "tar",
      ...(home ? (["-x", ...EXTRACT_OPTIONS] as const) : ["-t"]),
      ...LIST_OPTIONS,
    ] as const;
    const { words, cwd } = sandboxed(command, home);
    this.#tar = Subprocess.start(words, { cwd, signal }, "tar");
    this.#rules = rules;
    this.#unpacks = home !== undefined;
    this.#listed = this.#list();
    this.#listed.catch(() => undefined);
  }

  /** Resolves when it can take more. Throws `invalid` for a member that may not be. */
  async write(chunk: Uint8Array): Promise<void> {
    await this.#tar.write(chunk);
    await this.throwIfRejected();
  }

  /** Lets a program that unpacks the archive write it here, from now on and alone. */
  feedFrom(unpacker: readonly [program: string, ...args: string[]], signal: AbortSignal): Subprocess {
    const { words, cwd } = sandboxed(unpacker);
    const feeding = Subprocess.start(words, { cwd, signal, output: this.#tar.stdin }, unpacker[0]);
    // It has its own end of it now. Ours must go without the word that no more will come.
    this.#tar.stdin.destroy();
    return feeding;
  }

  /** Throws `invalid` when there was a member that may not be. */
  async throwIfRejected(): Promise<void> {
    if (this.#rejected) await this.#listed;
  }

  /** How many bytes of the archive were looked at so far. */
  get bytes(): number {
    this.#bytes = Math.max(this.#bytes, this.#tar.bytesRead);
    return this.#bytes;
  }

  /** Throws `failed` when the archive is not whole, `invalid` when something is missing in it. */
  async finish(): Promise<void> {
    this.#tar.end();
    const whole = await this.#listed;
    await this.#tar.succeeded().catch((error) => {
      if (whole && this.#unpacks)
        throw needsEngineUnpack(`cannot be unpacked by a container's root: ${error.message}`);
      throw new TremplinError(
        "failed",
        "the backup is damaged or cut short: tar cannot read it to its end",
        error,
      );
    });
    if (!whole)
      throw new TremplinError("failed", "the backup is cut short: the end of its archive is missing");
    this.#rules.finish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tar[Symbol.asyncDispose]();
  }

  #check(member: TarMember): void {
    this.#rules.check(member);
    if (this.#unpacks && member.type === "c") throw needsEngineUnpack("has device nodes");
  }

  /** Whether the archive had its end. */
  async #list(): Promise<boolean> {
    let whole = false;
    try {
      for await (const line of lines(this.#tar.stdout)) {
        const member = parseListing(line);
        if (typeof member === "string") whole ||= member === "end";
        else this.#check(member);
      }
      return whole;
    } catch (error) {
      // Nobody reads on: who writes must not wait for that.
      this.#rejected = true;
      await this.#tar[Symbol.asyncDispose]();
      throw error;
    }
  }
}

/** The backup can be unpacked by the engine alone. The cause of an error that says so. */
export class NeedsEngineUnpack {}

function needsEngineUnpack(why: string): TremplinError {
  return new TremplinError("failed", `the backup ${why}`, new NeedsEngineUnpack());
}

async function* lines(output: Readable): AsyncGenerator<string, void, void> {
  let rest = "";
  for await (const chunk of output as AsyncIterable<Buffer>) {
    const parts = (rest + chunk.toString("latin1")).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
    if (rest.length > MAX_LINE_LENGTH) {
      throw new TremplinError("invalid", "the backup has a member with a name that no file can have");
    }
  }
  if (rest !== "") yield rest;
}
