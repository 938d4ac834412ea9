// Runs the tests beside their files: those of one folder one after another in one process, since starting a process for
// each of 300 files takes most of the time. As many processes at once as there are processors. Arguments go to Node's
// test runner. Prints the output of each process when it has ended.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";

/** Of a process. More would leave one processor without work at the end. */
const MAX_FILES = 12;

const groups = Object.values(
  Object.groupBy(globSync(["dist/test/src/**/*.test.js", "scripts/**/*.test.mjs"]), (file) => dirname(file)),
).flatMap(inChunks);
// The large groups first, so that none of them is the last.
groups.sort((a, b) => b.length - a.length);

let isGood = true;
await Promise.all(
  Array.from({ length: availableParallelism() }, async () => {
    for (let group = groups.shift(); group; group = groups.shift())
      isGood = (await runGroup(group)) && isGood;
  }),
);
process.exitCode = isGood ? 0 : 1;

async function runGroup(files) {
  const flags = ["--enable-source-maps", "--test", "--test-isolation=none", "--test-timeout=30000"];
  const child = spawn(process.execPath, [...flags, ...process.argv.slice(2), ...files], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => output.push(chunk));
  const [code] = await once(child, "close");
  process.stdout.write(Buffer.concat(output));
  return code === 0;
}

function inChunks(files) {
  const count = Math.ceil(files.length / MAX_FILES);
  return Array.from({ length: count }, (_, index) => files.filter((_, at) => at % count === index));
}
