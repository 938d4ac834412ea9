import { randomUUID } from "node:crypto";

/** Prints the mark as a line of its own on both outputs when the program has ended. */
const SCRIPT = `mark=$1
shift
"$@"
code=$?
printf '\\n%s %s\\n' "$mark" "$code"
printf '\\n%s %s\\n' "$mark" "$code" >&2
exit "$code"`;

/**
 * Marks the end of a program in its output. An engine reports the end of a command only when nobody has its output
 * open any more, and a service that a package starts may keep it open for ever.
 */
export class EndMark {
  readonly #mark = `tremplin-end-${randomUUID()}`;
  #exitCode: number | undefined;

  /** The exit code, once a mark was found. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  /** The command that runs the program and then prints the mark. */
  markEnd(command: readonly string[]): readonly string[] {
    return ["sh", "-c", SCRIPT, "sh", this.#mark, ...command];
  }

  /** Whether a line is the mark. */
  isEnd(line: string): boolean {
    const [mark, code] = line.split(" ");
    if (mark !== this.#mark) return false;
    this.#exitCode = Number(code);
    return true;
  }
}
