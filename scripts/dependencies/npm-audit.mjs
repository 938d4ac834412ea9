import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NothingLookedAt } from "./nothing-looked-at.mjs";

/** A version with well-known advisories of 2020 and 2021. A registry that does not name it knows none. */
const known = { name: "minimist", version: "0.0.8" };
const alias = "known-to-have-advisories";

/**
 * The advisories that the registry of npm's settings has for a parsed package-lock.json, as { name, title, url, severity }.
 * Asks also about a version that has some: many mirrors answer such questions with nothing, which would look like good
 * news. Throws NothingLookedAt.
 */
export async function auditByRegistry(lock, env = process.env) {
  const folder = await mkdtemp(join(tmpdir(), "advisories-"));
  try {
    const { asked, manifest } = withKnown(lock);
    await writeFile(join(folder, "package-lock.json"), JSON.stringify(asked));
    await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
    return advisoriesOf(await runAudit(folder, env));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The lock with the known version under a name of its own, since the project may have another. */
function withKnown(lock) {
  const root = structuredClone(lock.packages[""]);
  root.dependencies = { ...root.dependencies, [alias]: `npm:${known.name}@${known.version}` };
  const packages = { ...lock.packages, "": root, [`node_modules/${alias}`]: known };
  return { asked: { ...lock, packages }, manifest: root };
}

function runAudit(cwd, env) {
  const { promise, resolve, reject } = Promise.withResolvers();
  const args = ["audit", "--package-lock-only", "--json", "--fetch-retries=0"];
  execFile("npm", args, { cwd, env, maxBuffer: 2 ** 28 }, (error, stdout) => {
    if (error?.code === "ENOENT") reject(new NothingLookedAt("npm is not installed"));
    else resolve(stdout);
  });
  return promise;
}

/** What the output of npm audit names, without the version that was only a question. Throws NothingLookedAt. */
export function advisoriesOf(output) {
  let report;
  try {
    report = JSON.parse(output);
  } catch {
    throw new NothingLookedAt("npm audit gave no report");
  }
  if (!report.vulnerabilities) {
    const why = report.message ?? report.error?.summary ?? report.error?.code ?? "npm audit gave no report";
    // Registries are settings of a machine; their addresses may hold names and passwords.
    throw new NothingLookedAt(
      `the registry of npm's settings answers no questions about advisories: ${why.replace(/https?:\/\/\S+/g, "...")}`,
    );
  }
  if (!report.vulnerabilities[known.name]) {
    throw new NothingLookedAt(
      `the registry of npm's settings answers, but names no advisory for ${known.name} ${known.version}, which has some: it knows none`,
    );
  }
  return Object.values(report.vulnerabilities)
    .filter(({ nodes }) => nodes.some((path) => path !== `node_modules/${alias}`))
    .flatMap(({ name, via }) =>
      via.filter((each) => typeof each === "object").map((each) => ({ ...each, name })),
    )
    .map(({ name, title, url, severity }) => ({ name, title, url, severity }));
}
