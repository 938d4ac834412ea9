// Checks the rules of this repository that the compiler and the linter do not know. Prints each problem as
// file:line: what is wrong; what to do.
//   node scripts/check.mjs            all checks
//   node scripts/check.mjs words ...  some of them: links, words, layers, size, dependencies
import { join } from "node:path";
import { checkDependencies } from "./checks/dependencies.mjs";
import { checkLayers } from "./checks/layers.mjs";
import { checkLinks } from "./checks/links.mjs";
import { checkSize, measureFunctions } from "./checks/size.mjs";
import { readTree } from "./checks/tree.mjs";
import { checkWords } from "./checks/words.mjs";

const root = join(import.meta.dirname, "..");
const checks = {
  links: checkLinks,
  words: checkWords,
  layers: checkLayers,
  size: checkSizes,
  dependencies: checkDependencies,
};

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(checks);
const unknown = wanted.filter((name) => !(name in checks));
if (unknown.length > 0) {
  console.error(
    `scripts/check.mjs: there is no check ${unknown.join(", ")}; there are ${Object.keys(checks).join(", ")}`,
  );
  process.exit(2);
}
const tree = readTree(root);
for (const name of wanted) {
  const problems = checks[name](tree);
  for (const problem of problems) console.error(problem);
  console.log(`${name}: ${problems.length === 0 ? "no problems" : `problems: ${problems.length}`}`);
  if (problems.length > 0) process.exitCode = 1;
}

function checkSizes(files) {
  const { problems, summary } = checkSize(files, measureFunctions(root));
  console.log(`size: ${summary}`);
  return problems;
}
