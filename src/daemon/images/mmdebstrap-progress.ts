/** Progress of a build. `percent` is 0 to 100 and never decreases. */
export interface ImageProgress {
  readonly message: string;
  readonly percent: number;
}

interface Stage {
  /** The first line of the stage in mmdebstrap's output. */
  readonly begins: RegExp;
  readonly message: string;
  /** Its range in the whole build, in percent. */
  readonly from: number;
  readonly to: number;
  /** The actions of apt and dpkg on each package, in this order. */
  readonly steps: readonly Step[];
}

type Step = "Get:" | "Unpacking" | "Setting up";

/** Shares measured with an empty package cache. */
const STAGES: readonly Stage[] = [
  { begins: /^I: running apt-get update/, message: "Reading the package lists", from: 0, to: 8, steps: [] },
  { begins: /^I: downloading packages/, message: "Downloading", from: 8, to: 14, steps: ["Get:"] },
  { begins: /^I: extracting archives/, message: "Unpacking the first packages", from: 14, to: 24, steps: [] },
  {
    begins: /^I: installing essential/,
    message: "Installing",
    from: 24,
    to: 50,
    steps: ["Unpacking", "Setting up"],
  },
  {
    begins: /^I: installing remaining/,
    message: "Installing",
    from: 50,
    to: 85,
    steps: ["Get:", "Unpacking", "Setting up"],
  },
  { begins: /^I: cleaning/, message: "Cleaning up", from: 85, to: 86, steps: [] },
];

/** Derives the progress of mmdebstrap from its output with --verbose and LC_ALL=C. */
export class MmdebstrapProgress {
  #stage: Stage | undefined;
  #packages = 0;
  #done = new Map<Step, number>();
  #percent = 0;

  /** The progress after a line; undefined if the line does not change it. */
  read(line: string): ImageProgress | undefined {
    const stage = STAGES.find(({ begins }) => begins.test(line));
    if (stage) {
      this.#stage = stage;
      this.#done.clear();
      return this.#at(stage.message, stage.from);
    }
    this.#packages = Number(/, (\d+) newly installed/.exec(line)?.[1] ?? this.#packages);
    return this.#step(line);
  }

  #step(line: string): ImageProgress | undefined {
    const stage = this.#stage;
    const step = stage?.steps.find((each) => line.startsWith(each));
    if (!stage || !step || this.#packages === 0) return undefined;
    // apt downloads everything first, and prints nothing for cached packages.
    if (step !== "Get:" && stage.steps.includes("Get:")) this.#done.set("Get:", this.#packages);
    this.#done.set(step, Math.min((this.#done.get(step) ?? 0) + 1, this.#packages));
    const done = this.#done.values().reduce((sum, each) => sum + each, 0);
    const share = done / (stage.steps.length * this.#packages);
    return this.#at(`${stage.message} ${packageOf(line)}`, stage.from + share * (stage.to - stage.from));
  }

  #at(message: string, percent: number): ImageProgress {
    this.#percent = Math.max(this.#percent, Math.floor(percent));
    return { message, percent: this.#percent };
  }
}

/** The package in `Unpacking less (590-2.1) ...` and in `Get:1 URI bookworm/main amd64 less amd64 590 [131 kB]`. */
function packageOf(line: string): string {
  const words = line.split(" ");
  if (line.startsWith("Get:")) return words[4] ?? "";
  return (line.startsWith("Setting up") ? words[2] : words[1])?.replace(/:.*$/, "") ?? "";
}
