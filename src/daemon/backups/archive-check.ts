import type { Readable } from "node:stream";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { MemberRules } from "./member-rules.ts";
import { sandboxed, type UnpackTarget } from "./sandbox.ts";
import { Subprocess } from "./subprocess.ts";
import { parseListing } from "./tar-member.ts";

/** Fits the longest name and the longest link target, with each byte escaped as four characters. */
const MAX_LINE_LENGTH = 64 * 1024;

/**
 * Blocks of zeros do not end the list: tar reads everything, so that the checksum is verified and nothing is hidden.
 * Without warnings, for example of a time in the future, every line of standard error is the reason of a failure.
 */
const LIST_OPTIONS = [
  "-ivvRf",
  "-",
  "--quoting-style=c",
  "--numeric-owner",
  "--full-time",
  "--warning=none",
  "--warning=xattr-write",
  "--force-local",
  "--blocking-factor=512",
] as const;
/**
 * What tar prints about a device in a user namespace, where nobody can make one, about a hard link to it, and last
 * because of that.
 */
const UNMADE =
  /^tar: "(?:[^"\\]|\\.)*": Cannot (?:mknod: Operation not permitted|hard link to .*: No such file or directory)$/;
const AFTER_UNMADE = "tar: Exiting with failure status due to previous errors";
const UNMADE_EXIT_CODE = 2;

/** The options with which engines extract. */
const EXTRACT_OPTIONS = ["--same-permissions", "--xattrs", "--xattrs-include=*", "--acls"] as const;

/**
 * Checks an uncompressed archive while it is streamed. The program that lists the members also extracts them, so that
 * both see the same archive.
 */
export class ArchiveCheck implements AsyncDisposable {
  readonly #tar: Subprocess;
  readonly #rules: MemberRules;
  readonly #unpacks: boolean;
  readonly #listed: Promise<boolean>;
  #rejected = false;
  #bytes = 0;
  #unmade = 0;

  /** `target`: also extracts the archive there. */
  constructor(rules: MemberRules, signal: AbortSignal, target?: UnpackTarget) {
    const mode = target ? ["-x", ...EXTRACT_OPTIONS] : ["-t"];
    const { command, cwd } = sandboxed(["tar", ...mode, ...LIST_OPTIONS], target);
    const consumeLine = (line: string): boolean => {
      if (UNMADE.test(line)) this.#unmade++;
      return UNMADE.test(line) || line === AFTER_UNMADE || rules.lost.consumeLine(line);
    };
    this.#tar = Subprocess.start(command, { cwd, signal, ...(target && { consumeLine }) }, "tar");
    this.#rules = rules;
    this.#unpacks = target !== undefined;
    this.#listed = this.#list();
    this.#listed.catch(() => undefined);
  }

  /** Resolves when it accepts more. Throws `invalid` for a member that is not allowed. */
  async write(chunk: Uint8Array): Promise<void> {
    await this.#tar.write(chunk);
    await this.throwIfRejected();
  }

  /** Starts a program that decompresses the archive directly into this check; nothing else may write to it then. */
  feedFrom(decompressor: readonly [program: string, ...args: string[]], signal: AbortSignal): Subprocess {
    const { command, cwd } = sandboxed(decompressor);
    const feeding = Subprocess.start(command, { cwd, signal, output: this.#tar.stdin }, decompressor[0]);
    // The child has its own copy of the pipe. Destroyed, not ended: the child may still write.
    this.#tar.stdin.destroy();
    return feeding;
  }

  /** Throws `invalid` if there was a member that is not allowed. */
  async throwIfRejected(): Promise<void> {
    if (this.#rejected) await this.#listed;
  }

  /** Bytes of the uncompressed archive that were checked so far. */
  get bytes(): number {
    this.#bytes = Math.max(this.#bytes, this.#tar.bytesRead);
    return this.#bytes;
  }

  /** Throws `failed` if the archive is damaged or truncated, `invalid` if a required member is missing. */
  async finish(): Promise<void> {
    this.#tar.end();
    const whole = await this.#listed;
    await this.#succeeded().catch((error) => {
      if (whole && this.#unpacks)
        throw needsEngineUnpack(`cannot be unpacked by the root user of the container: ${error.message}`);
      throw new TremplinError(
        "failed",
        "the backup is damaged or truncated: tar cannot read all of it",
        error,
      );
    });
    if (!whole)
      throw new TremplinError("failed", "the backup is truncated: the end of its archive is missing");
    this.#rules.finish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tar[Symbol.asyncDispose]();
  }

  /** Devices that tar could not make are no failure if all of them are noted. */
  async #succeeded(): Promise<void> {
    await this.#tar.succeeded(this.#unmade > 0 ? UNMADE_EXIT_CODE : 0);
    if (this.#unmade > this.#rules.devices.unmade)
      throw new TremplinError("failed", "tar could not make a device node");
  }

  /** Checks the listing. Returns whether the archive had its end mark. */
  async #list(): Promise<boolean> {
    let whole = false;
    try {
      for await (const line of lines(this.#tar.stdout)) {
        const member = parseListing(line);
        if (typeof member === "string") whole ||= member === "end";
        else this.#rules.check(member);
      }
      return whole;
    } catch (error) {
      // The listing is not read any further, so a writer would wait for ever.
      this.#rejected = true;
      await this.#tar[Symbol.asyncDispose]();
      throw error;
    }
  }
}

/** The cause of an error: only the engine can unpack this backup. */
export class NeedsEngineUnpack {}

function needsEngineUnpack(reason: string): TremplinError {
  return new TremplinError("failed", `the backup ${reason}`, new NeedsEngineUnpack());
}

async function* lines(output: Readable): AsyncGenerator<string, void, void> {
  let rest = "";
  for await (const chunk of output as AsyncIterable<Buffer>) {
    const parts = (rest + chunk.toString("latin1")).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
    if (rest.length > MAX_LINE_LENGTH) {
      throw new TremplinError("invalid", "the backup contains a name that is longer than any file name");
    }
  }
  if (rest !== "") yield rest;
}
