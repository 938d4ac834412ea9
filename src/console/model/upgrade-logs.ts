import { plainText } from "../../base/text.ts";
import { parsePhaseLine, parseUpgradeLog } from "../../base/upgrade-lines.ts";

/** What a notice said of an upgrade, or of another operation that reports by the same notices. */
export interface UpgradeLines {
  readonly sequence: bigint;
  readonly operation: string;
  readonly lines: readonly string[];
}

/** As many as a host keeps of one container. */
const MAX_NOTICES = 1_000;
const MAX_LINES = 1_000;

/** The lines of the newest upgrade of each container, as they come, or read again from the host's log. */
export class UpgradeLogs {
  readonly #notices = new Map<string, Map<bigint, UpgradeLines>>();

  /** One that was added before changes nothing. */
  add(container: string, notice: UpgradeLines): void {
    const notices = this.#notices.get(container) ?? new Map<bigint, UpgradeLines>();
    this.#notices.set(container, notices.set(notice.sequence, notice));
    const oldest = notices.keys().next().value;
    if (notices.size > MAX_NOTICES && oldest !== undefined) notices.delete(oldest);
  }

  /** The newest lines, the oldest of them first. */
  linesOf(container: string): readonly string[] {
    const inOrder = [...(this.#notices.get(container)?.values() ?? [])].sort((a, b) =>
      a.sequence < b.sequence ? -1 : 1,
    );
    const begin = inOrder.findLastIndex(({ lines }) => lines.some(isBegin));
    const operation = inOrder[begin]?.operation;
    return inOrder
      .slice(begin === -1 ? inOrder.length : begin)
      .filter((each) => each.operation === operation)
      .flatMap(({ lines }) => lines.map(lineText))
      .slice(-MAX_LINES);
  }
}

function isBegin(line: string): boolean {
  return parseUpgradeLog(line) !== undefined;
}

function lineText(line: string): string {
  const phase = parsePhaseLine(line);
  return plainText(phase ? `${phase.percent} % ${phase.phase}` : line);
}
