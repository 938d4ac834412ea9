// Unpacks a package that package-lock.json names into a folder: fetch-locked.mjs NAME FOLDER. For the packages of another
// kind of machine, which npm ci leaves out. Their content is checked against the lock.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [name, folder] = process.argv.slice(2);
const locked = JSON.parse(readFileSync("package-lock.json", "utf8")).packages[`node_modules/${name}`];
if (!locked?.integrity) throw new Error(`package-lock.json has no package ${name}`);
const work = mkdtempSync(join(tmpdir(), "fetch-locked-"));
try {
  const words = [
    "pack",
    "--silent",
    "--prefer-offline",
    "--pack-destination",
    work,
    `${name}@${locked.version}`,
  ];
  const file = execFileSync("npm", words, { encoding: "utf8" }).trim().split("\n").at(-1);
  const path = join(work, file);
  const sum = `sha512-${createHash("sha512").update(readFileSync(path)).digest("base64")}`;
  if (sum !== locked.integrity)
    throw new Error(`${name} ${locked.version} is not what package-lock.json says: ${sum}`);
  mkdirSync(folder, { recursive: true });
  execFileSync("tar", ["-xzf", path, "--strip-components=1", "--no-same-owner", "-C", folder]);
} finally {
  rmSync(work, { recursive: true });
}
