// Files and functions stay small. Biome measures the functions: functions.biome.json makes it report each one that has
// more than one line in its body (it leaves out getters and setters).
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { filesIn } from "./tree.mjs";

const MOST_LINES_OF_FILE = 350;
const MOST_LINES_OF_FUNCTION = 80;
const MEDIAN_OF_FILES = 90;
const P90_OF_FUNCTIONS = 30;
const FOLDERS = ["src", "test", "bench"];

const biome = join(import.meta.dirname, "../../node_modules/@biomejs/biome/bin/biome");
const config = join(import.meta.dirname, "functions.biome.json");

/** The problems, and a sentence with the numbers. `functions` is the answer of measureFunctions. */
export function checkSize(tree, functions) {
  const files = filesIn(tree, ...FOLDERS).filter(([path]) => /\.tsx?$/.test(path));
  const lengths = files.map(([path, text]) => ({ path, lines: text.split("\n").length - 1 }));
  const measured = functions.filter((each) => isMeant(each, tree));
  const median = quantile(
    0.5,
    lengths.filter(({ path }) => path.startsWith("src/")),
  );
  const p90 = quantile(0.9, measured);
  const problems = [
    ...lengths
      .filter(({ lines }) => lines > MOST_LINES_OF_FILE)
      .map(
        ({ path, lines }) =>
          `${path}:1: the file has ${lines} lines, more than ${MOST_LINES_OF_FILE}; split it`,
      ),
    ...measured
      .filter(({ lines }) => lines > MOST_LINES_OF_FUNCTION)
      .map(
        ({ path, line, lines }) =>
          `${path}:${line}: the function has ${lines} lines, more than ${MOST_LINES_OF_FUNCTION}; split it`,
      ),
  ];
  if (median >= MEDIAN_OF_FILES)
    problems.push(
      `src:1: half of the files have ${median} lines or more; keep the median under ${MEDIAN_OF_FILES}`,
    );
  if (p90 >= P90_OF_FUNCTIONS)
    problems.push(`src:1: one function in ten has ${p90} lines or more; keep that under ${P90_OF_FUNCTIONS}`);
  const longest = Math.max(0, ...measured.map(({ lines }) => lines));
  const summary = `${lengths.length} files, median in src/ ${median} lines; ${measured.length} functions of several lines, p90 ${p90}, longest ${longest}`;
  return { problems, summary };
}

/** Path, first line and number of lines, from the first line to the closing brace, of each function below some paths. */
export function measureFunctions(root, paths = FOLDERS) {
  const flags = [`--config-path=${config}`, "--reporter=json", "--max-diagnostics=none"];
  const options = { cwd: root, encoding: "utf8", maxBuffer: 2 ** 28 };
  const { stdout, stderr } = spawnSync(process.execPath, [biome, "lint", ...flags, ...paths], options);
  const measured = (stdout.startsWith("{") ? JSON.parse(stdout).diagnostics : [])
    .filter(({ category }) => category === "lint/complexity/noExcessiveLinesPerFunction")
    .map(({ location: { path, start, end } }) => ({
      path,
      line: start.line,
      lines: end.line - start.line + 1,
    }));
  if (measured.length === 0) throw new Error(`biome measured no functions: ${stderr}`);
  return measured;
}

/** Generated code is as it is, and a group of tests is a list, not a function. */
function isMeant({ path, line }, tree) {
  const text = tree.get(path)?.split("\n")[line - 1] ?? "";
  return !path.startsWith("src/contract/") && !/^\s*describe(\.\w+)?\(/.test(text);
}

function quantile(share, items) {
  const sorted = items.map(({ lines }) => lines).sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
