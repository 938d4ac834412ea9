import { createHash } from "node:crypto";
import { once } from "node:events";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { execute } from "./system-state.ts";

/** A tiny package. */
export interface FakePackage {
  readonly name: string;
  readonly version: string;
  /** More fields of its control file. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Its files by path; those below etc/ are its configuration files. */
  readonly files?: Readonly<Record<string, string>>;
  /** Its maintainer scripts: postinst, preinst ... */
  readonly scripts?: Readonly<Record<string, string>>;
  /** The size of a file of zeros, which compresses to nothing. MiB. */
  readonly bulk?: number;
}

/** Builds a package. Returns the path of its archive. */
export async function buildPackage(folder: string, fake: FakePackage): Promise<string> {
  const tree = join(folder, `${fake.name}_${fake.version}`);
  await rm(tree, { recursive: true, force: true });
  const files = Object.entries(fake.files ?? {});
  for (const [path, text] of files) await put(join(tree, path), text, 0o644);
  if (fake.bulk) {
    await put(join(tree, "var/lib/bulk"), "", 0o644);
    await execute("truncate", ["-s", `${fake.bulk}M`, join(tree, "var/lib/bulk")]);
  }
  const fields = {
    Package: fake.name,
    Version: fake.version,
    Architecture: "all",
    Maintainer: "Nobody <nobody@example.org>",
    "Installed-Size": "1",
    Description: "a package of a test",
    ...fake.fields,
  };
  const control = Object.entries(fields).map(([name, value]) => `${name}: ${value}\n`);
  await put(join(tree, "DEBIAN/control"), control.join(""), 0o644);
  const conffiles = files.map(([path]) => path).filter((path) => path.startsWith("etc/"));
  if (conffiles.length > 0) {
    await put(join(tree, "DEBIAN/conffiles"), conffiles.map((path) => `/${path}\n`).join(""), 0o644);
  }
  for (const [name, text] of Object.entries(fake.scripts ?? {})) {
    await put(join(tree, "DEBIAN", name), `#!/bin/sh\nset -e\n${text}\n`, 0o755);
  }
  const path = `${tree}.deb`;
  // Reproducible byte for byte: a container may already have its checksums.
  const env = { ...process.env, SOURCE_DATE_EPOCH: "1700000000" };
  await execute("dpkg-deb", ["--root-owner-group", "-Zgzip", "--build", tree, path], { env });
  return path;
}

async function put(path: string, text: string, mode: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text, { mode });
}

/** A key to sign releases with. */
export interface SigningKey {
  readonly home: string;
  /** The public key for apt, in binary form. */
  readonly keyring: string;
}

/** Creates a key with a validity in gpg's notation ("1y", "seconds=2"), starting `at` (as `faked-system-time`). */
export async function signingKey(folder: string, expires = "never", at?: string): Promise<SigningKey> {
  const home = join(folder, "gnupg");
  await mkdir(home, { recursive: true, mode: 0o700 });
  const time = at ? ["--faked-system-time", at] : [];
  const gpg = ["--homedir", home, "--batch", "--pinentry-mode", "loopback", "--passphrase", "", ...time];
  await execute("gpg", [...gpg, "--quick-generate-key", "test <t@example.org>", "ed25519", "sign", expires]);
  const keyring = join(folder, "keyring.gpg");
  await execute("gpg", ["--homedir", home, "--batch", "--output", keyring, "--export"]);
  await execute("gpgconf", ["--homedir", home, "--kill", "all"]);
  return { home, keyring };
}

/** A suite of the repository. */
export interface FakeSuite {
  readonly suite: string;
  readonly packages: readonly FakePackage[];
  /** Who publishes it. Default: Debian. */
  readonly origin?: string;
  /** Signed by this key in place of the repository's. */
  readonly key?: SigningKey;
}

export interface RepositoryTimes {
  /** The date of its releases. Default: an hour ago. */
  readonly made?: Date;
  /** The date of the signatures. Default: now. */
  readonly signed?: string;
  /** When its releases expire. Default: never. */
  readonly validUntil?: Date;
}

/** Writes an apt repository with signed suites. */
export async function writeRepository(
  folder: string,
  key: SigningKey,
  suites: readonly FakeSuite[],
  times: RepositoryTimes = {},
): Promise<void> {
  await rm(join(folder, "dists"), { recursive: true, force: true });
  await mkdir(join(folder, "pool"), { recursive: true });
  const work = join(folder, "work");
  for (const { suite, packages, origin = "Debian", key: own } of suites) {
    const stanzas: string[] = [];
    for (const fake of packages) {
      const name = `${fake.name}_${fake.version}_all.deb`;
      const built = await buildPackage(work, fake);
      await cp(built, join(folder, "pool", name));
      stanzas.push(await stanzaOf(join(folder, "pool", name), `pool/${name}`));
    }
    await writeSuite(
      join(folder, "dists", suite),
      { suite, origin, packages: stanzas.join("\n") },
      own ?? key,
      times,
    );
  }
}

async function stanzaOf(path: string, filename: string): Promise<string> {
  const { stdout } = await execute("dpkg-deb", ["--field", path]);
  const content = await readFile(path);
  return `${stdout}Filename: ${filename}\nSize: ${content.length}\nSHA256: ${sha256(content)}\n`;
}

async function writeSuite(
  folder: string,
  { suite, origin, packages }: { suite: string; origin: string; packages: string },
  { home }: SigningKey,
  { made = new Date(Date.now() - 3600_000), signed, validUntil }: RepositoryTimes,
): Promise<void> {
  const { stdout } = await execute("dpkg", ["--print-architecture"]);
  const binary = `main/binary-${stdout.trim()}`;
  const index = gzipSync(packages);
  await put(join(folder, binary, "Packages"), packages, 0o644);
  await mkdir(join(folder, binary), { recursive: true });
  await writeFile(join(folder, binary, "Packages.gz"), index);
  const sums = [
    ` ${sha256(Buffer.from(packages))} ${Buffer.byteLength(packages)} ${binary}/Packages`,
    ` ${sha256(index)} ${index.length} ${binary}/Packages.gz`,
  ];
  const release = [
    `Origin: ${origin}`,
    `Label: ${origin}`,
    `Suite: ${suite}`,
    `Codename: ${suite}`,
    `Date: ${dateOf(made)}`,
    ...(validUntil ? [`Valid-Until: ${dateOf(validUntil)}`] : []),
    `Architectures: ${stdout.trim()} all`,
    "Components: main",
    "SHA256:",
    ...sums,
    "",
  ].join("\n");
  await put(join(folder, "Release"), release, 0o644);
  const time = signed ? ["--faked-system-time", signed] : [];
  await execute("gpg", [
    ...["--homedir", home, "--batch", "--yes", "--pinentry-mode", "loopback", "--passphrase", "", ...time],
    ...["--output", join(folder, "InRelease"), "--clear-sign", join(folder, "Release")],
  ]);
  await execute("gpgconf", ["--homedir", home, "--kill", "all"]);
}

function dateOf(time: Date): string {
  return time.toUTCString().replace("GMT", "UTC");
}

function sha256(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** Serves a folder on an address of this machine, under a name, as a mirror does. */
export class Mirror implements AsyncDisposable {
  readonly #server = createServer((request, response) => void this.#answer(request.url ?? "", response));
  readonly #folder: string;
  readonly #name: string;
  /** Called before each response; false breaks the connection, as if the mirror had disappeared. */
  answers: (path: string) => boolean | Promise<boolean> = () => true;

  private constructor(folder: string, name: string) {
    this.#folder = folder;
    this.#name = name;
  }

  /** `name` must lead to the address wherever the mirror is used. */
  static async open(folder: string, { address, name }: { address: string; name: string }): Promise<Mirror> {
    const mirror = new Mirror(folder, name);
    mirror.#server.listen(0, address);
    await once(mirror.#server, "listening");
    return mirror;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://${this.#name}:${port}/debian`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #answer(url: string, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent(url).replace(/^\/debian\//, "");
    if (!(await this.answers(path))) return void response.destroy();
    const content = path.includes("..")
      ? undefined
      : await readFile(join(this.#folder, path)).catch(() => undefined);
    response.writeHead(content ? 200 : 404, { "content-length": content?.length ?? 0 });
    response.end(content);
  }
}
