import { cutToWidth, displayWidth } from "../../base/text-width.ts";

/** A terminal that obeys control sequences. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  /** Whether it breaks long lines again when its width changes. */
  readonly reflows: boolean;
  write(text: string): void;
}

/** The line of a terminal that changes, below all that stays. Everything else is printed through it. */
export class StatusLine {
  readonly #screen: Screen;
  #line = "";
  /** What of it is on the screen. */
  #drawn = "";

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  get columns(): number {
    return this.#screen.columns;
  }

  get rows(): number {
    return this.#screen.rows;
  }

  /** Draws another line in its place; empty: none. It is cut where the terminal ends. */
  show(line: string): void {
    this.#erase();
    this.#line = line;
    this.#draw();
  }

  /** Prints something above it. A line that does not end yet is not drawn over. */
  above(text: string, print: () => void): void {
    this.#erase();
    print();
    if (text.endsWith("\n")) this.#draw();
  }

  #draw(): void {
    // The last column stays free: some terminals begin the next line behind it.
    this.#drawn = cutToWidth(this.#line, this.#screen.columns - 1);
    if (this.#drawn !== "") this.#screen.write(this.#drawn);
  }

  /** A terminal that became narrower has broken the line into several. */
  #erase(): void {
    if (this.#drawn === "") return;
    const { columns, reflows } = this.#screen;
    const rows = reflows ? Math.ceil(displayWidth(this.#drawn) / Math.max(1, columns)) : 1;
    this.#drawn = "";
    const up = rows > 1 ? `\u001b[${rows - 1}A` : "";
    this.#screen.write(`${up}\r\u001b[J`);
  }
}

/** Those that cut lines off at the edge, by what they put into the environment. */
export function reflowsLines(env: NodeJS.ProcessEnv): boolean {
  return !env.XTERM_VERSION && !/^(linux|rxvt|vt\d)/.test(env.TERM ?? "") && !env.STY;
}
