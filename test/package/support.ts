import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findMirrors, releaseSources } from "../../src/daemon/images/debian-mirror.ts";
import { machineApt } from "../../src/daemon/mirrors/machine-apt.ts";
import { cachedBuild } from "../support/cached-build.ts";
import { repository } from "../support/repository.ts";
import { execute } from "../support/system-state.ts";

/** Builds the package into a folder, with little compression. Returns its path. */
export async function buildPackage(folder: string, ...options: readonly string[]): Promise<string> {
  const env = { ...process.env, DPKG_DEB_COMPRESSOR_LEVEL: "1" };
  const words = ["--out", folder, ...options];
  const { stdout } = await execute(join(repository, "scripts/package"), words, { env });
  return stdout.trim();
}

/** The same package with another version, as an older or a newer one. */
export async function withVersion(path: string, version: string, folder: string): Promise<string> {
  const content = join(folder, `content-${version}`);
  const result = join(folder, `tremplin_${version}.deb`);
  await execute("dpkg-deb", ["--raw-extract", path, content]);
  await execute("sed", ["-i", `s/^Version: .*/Version: ${version}/`, join(content, "DEBIAN/control")]);
  await execute("dpkg-deb", ["--root-owner-group", "-Znone", "--build", content, result]);
  await rm(content, { recursive: true });
  return result;
}

/** A copy of a small Debian with an engine, below a folder that is removed with its test. */
export async function copyOfDebian(folder: string): Promise<string> {
  const tree = await cachedBuild("package-tree", ["test/package/build-tree"], async (built) => {
    const { signal } = new AbortController();
    const mirrors = await findMirrors("bookworm", machineApt(`${built}.release-files`, signal));
    const sources = `${built}.sources`;
    await writeFile(sources, releaseSources("bookworm", mirrors.build), { mode: 0o600 });
    await execute(join(repository, "test/package/build-tree"), [`${built}.new`, sources]);
    await rm(sources);
    await rename(`${built}.new`, built);
  });
  const root = join(folder, "debian");
  await execute("cp", ["-a", "--reflink=auto", tree, root]);
  return root;
}

export interface Outcome {
  readonly code: number;
  readonly output: string;
}

/** Runs a program, and returns what it printed on both outputs. */
export async function outcomeOf(program: string, words: readonly string[]): Promise<Outcome> {
  try {
    const { stdout, stderr } = await execute(program, [...words]);
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout = "", stderr = "" } = error as { code?: number; stdout?: string; stderr?: string };
    return { code: typeof code === "number" ? code : -1, output: stdout + stderr };
  }
}
