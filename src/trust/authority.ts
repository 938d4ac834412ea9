import { createPrivateKey, X509Certificate } from "node:crypto";
import { readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../base/async/clock.ts";
import { acquireLock } from "../base/files/file-lock.ts";
import { canAccess, replaceFile, textOfFile } from "../base/files/files.ts";
import { makeOwnFolder } from "../base/files/own-folder.ts";
import { runProgram } from "../base/processes/run-program.ts";
import { TremplinError } from "../base/tremplin-error.ts";
import { normalSerial, parseSerials } from "../transport/revoked-serials.ts";
import { type Role, roleIn, roleText, roleUri } from "../transport/role.ts";
import { authorityConfig, certificateConfig } from "./certificate-request.ts";
import { type Issued, readIssued, recordIssued } from "./issued.ts";

/** Ten years. */
const DAYS = 3650;
/** Everybody can call the host so on its own machine. */
const OWN_ADDRESSES = ["localhost", "127.0.0.1", "::1"];
const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** A certificate of the authority. */
export interface Certificate extends Issued {
  readonly state: "valid" | "expired" | "revoked";
}

/** The newest certificate of an owner, with the paths of certificate and key. */
export interface NewestCertificate extends Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface IssueOptions {
  /** Host names and IP addresses of the owner, for clients that check those. */
  readonly addresses?: readonly string[];
  /** Make another one although the owner has a valid one, which stays valid. */
  readonly renew?: boolean;
}

/**
 * An authority in a folder of its own: it signs the certificates of the host, of guests and of clients, keeps them
 * there, lists all of them in the file `issued`, and what is revoked in the file `revoked`, which a host with `--tls-ca`
 * in that folder reads.
 */
export class Authority {
  readonly folder: string;
  readonly #clock: Pick<Clock, "now">;

  constructor(folder: string, clock: Pick<Clock, "now">) {
    this.folder = folder;
    this.#clock = clock;
  }

  /** The path of its own certificate. */
  get certificate(): string {
    return join(this.folder, "ca.crt");
  }

  /** Makes a certificate, and on first use the authority and the certificate of the host. Throws `exists`. */
  async issue(role: Role, { addresses = [], renew = false }: IssueOptions): Promise<NewestCertificate> {
    await using _lock = await this.#lock();
    if (!(await canAccess(this.certificate))) await this.#create();
    const host = await this.#find({ kind: "host" });
    if (role.kind !== "host" && !(host && (await matchesKey(host))))
      await this.#sign({ kind: "host" }, OWN_ADDRESSES);
    const known = await this.#find(role);
    if (known?.state === "valid" && !renew && (await matchesKey(known))) {
      throw new TremplinError(
        "exists",
        `${roleText(role)} has a certificate already, ${known.cert}: use that one, revoke it, or make another one with --renew`,
      );
    }
    const names = role.kind === "host" ? [...new Set([...OWN_ADDRESSES, ...addresses])] : addresses;
    await this.#sign(role, names);
    return (await this.#find(role)) as NewestCertificate;
  }

  /** All certificates that were made, by owner, the newest first. */
  async list(): Promise<Certificate[]> {
    const revoked = await this.#readRevoked();
    return (await this.#all()).map((each) => this.#withState(each, revoked)).toSorted(byOwner);
  }

  /** Revokes all certificates of an owner, and returns them, the newest first. Throws `not-found` where it has none. */
  async revoke(role: Role): Promise<[Certificate, ...Certificate[]]> {
    await using _lock = await this.#lock();
    const found = (await this.#all()).filter((each) => roleUri(each.role) === roleUri(role));
    const [newest, ...older] = found.map((each) => ({ ...each, state: "revoked" as const }));
    if (!newest) {
      throw new TremplinError("not-found", `${roleText(role)} has no certificate in ${this.folder}`);
    }
    await this.#addRevoked(
      found.map(({ serial }) => serial),
      roleText(role),
    );
    return [newest, ...older];
  }

  /** Revokes a certificate by its serial number. Throws `invalid`. */
  async revokeSerial(serial: string): Promise<void> {
    const [wanted] = parseSerials(serial);
    if (wanted === undefined) throw new TremplinError("invalid", "a serial number is missing");
    await using _lock = await this.#lock();
    await this.#addRevoked([wanted]);
  }

  /** `owner` is a remark. */
  async #addRevoked(serials: readonly string[], owner = ""): Promise<void> {
    const text = (await textOfFile(this.#revoked)) ?? "";
    const known = parseSerials(text);
    const fresh = serials.filter((serial) => !known.has(normalSerial(serial)));
    if (fresh.length === 0) return;
    const day = new Date(this.#clock.now()).toISOString().slice(0, 10);
    const separator = text === "" || text.endsWith("\n") ? "" : "\n";
    const lines = fresh.map((serial) => `${[serial, owner, day].filter(Boolean).join(" ")}\n`);
    await replaceFile(this.#revoked, `${text}${separator}${lines.join("")}`);
  }

  get #issued(): string {
    return join(this.folder, "issued");
  }

  get #revoked(): string {
    return join(this.folder, "revoked");
  }

  async #lock(): Promise<AsyncDisposable> {
    await makeOwnFolder(this.folder);
    await using held = new AsyncDisposableStack();
    held.use(await acquireLock(join(this.folder, "lock"), `another tremplin trust is using ${this.folder}`));
    for (const stem of await this.#stems(".crt.new")) await this.#finishPair(stem);
    return held.move();
  }

  /** The names of the files with a suffix, without it. */
  async #stems(suffix: string): Promise<string[]> {
    const names = (await canAccess(this.folder)) ? await readdir(this.folder) : [];
    const stems = names.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length));
    return stems.filter((stem) => /^(host|guest-.+|client-.+)$/.test(stem));
  }

  /** Where a kill came between key and certificate, puts the certificate in its place too. */
  async #finishPair(stem: string): Promise<void> {
    const [fresh, key] = [this.#path(stem, "crt.new"), this.#path(stem, "key")];
    if ((await canAccess(key)) && (await matchesKey({ cert: fresh, key })))
      await rename(fresh, this.#path(stem, "crt"));
  }

  #path(stem: string, suffix: string): string {
    return join(this.folder, `${stem}.${suffix}`);
  }

  async #create(): Promise<void> {
    await this.#openssl("ca", authorityConfig(), []);
  }

  async #sign(role: Role, addresses: readonly string[]): Promise<void> {
    const authority = ["-CA", this.certificate, "-CAkey", join(this.folder, "ca.key")];
    const stem = stemOf(role);
    await this.#openssl(stem, certificateConfig(role, addresses), authority, async () => {
      // The file of the one before is about to be replaced, and an earlier version recorded none.
      const both = await Promise.all(
        ["crt", "crt.new"].map((suffix) => readCertificate(this.#path(stem, suffix))),
      );
      await recordIssued(
        this.#issued,
        both.filter((each) => each !== undefined),
      );
    });
  }

  /**
   * Makes a key and a certificate. The certificate appears last, so that one that exists is complete. `beforeUse` runs
   * while neither is in its place.
   */
  async #openssl(
    stem: string,
    config: string,
    args: readonly string[],
    beforeUse: () => Promise<void> = async () => undefined,
  ): Promise<void> {
    const path = (suffix: string): string => this.#path(stem, suffix);
    await writeFile(path("cnf.new"), config, { mode: 0o600 });
    const files = ["-config", path("cnf.new"), "-keyout", path("key.new"), "-out", path("crt.new")];
    const options = [...files, ...NEW_KEY, "-days", String(DAYS), ...args];
    await runProgram("openssl", ["req", "-x509", ...options]).catch((error: NodeJS.ErrnoException) => {
      const what = `cannot make a certificate in ${this.folder}`;
      if (error.code !== "ENOENT") throw new TremplinError("failed", `${what}: ${error.message}`, error);
      throw new TremplinError(
        "failed",
        `${what}: openssl is missing; install it (apt-get install openssl)`,
        error,
      );
    });
    await beforeUse();
    await rename(path("key.new"), path("key"));
    await rename(path("crt.new"), path("crt"));
    await rm(path("cnf.new"));
  }

  /** The newest certificate of an owner; undefined where it has none. */
  async #find(role: Role): Promise<NewestCertificate | undefined> {
    const [cert, key] = [this.#path(stemOf(role), "crt"), this.#path(stemOf(role), "key")];
    const found = await readCertificate(cert);
    return found && { ...this.#withState(found, await this.#readRevoked()), cert, key };
  }

  /** The newest first. */
  async #all(): Promise<Issued[]> {
    const stems = await this.#stems(".crt");
    const there = await Promise.all(stems.map((stem) => readCertificate(this.#path(stem, "crt"))));
    const all = [
      ...there.filter((each) => each !== undefined),
      ...(await readIssued(this.#issued)).toReversed(),
    ];
    return [...Map.groupBy(all, ({ serial }) => serial).values()].map(([first]) => first as Issued);
  }

  async #readRevoked(): Promise<ReadonlySet<string>> {
    return parseSerials((await textOfFile(this.#revoked)) ?? "");
  }

  #withState(issued: Issued, revoked: ReadonlySet<string>): Certificate {
    const isExpired = issued.until.getTime() <= this.#clock.now();
    const state = revoked.has(normalSerial(issued.serial)) ? "revoked" : isExpired ? "expired" : "valid";
    return { ...issued, state };
  }
}

/** Undefined where there is no such file, or it has no role. */
async function readCertificate(path: string): Promise<Issued | undefined> {
  const pem = await textOfFile(path);
  if (pem === undefined) return undefined;
  const { serialNumber: serial, subjectAltName, validTo } = new X509Certificate(pem);
  const role = roleIn(subjectAltName);
  return role && { role, serial, until: new Date(validTo) };
}

/** Whether a key belongs to its certificate, or has been moved to where the two are used. */
async function matchesKey({ cert, key }: Pick<NewestCertificate, "cert" | "key">): Promise<boolean> {
  const [certificate, secret] = await Promise.all([textOfFile(cert), textOfFile(key)]);
  if (secret === undefined) return true;
  try {
    return new X509Certificate(certificate ?? "").checkPrivateKey(createPrivateKey(secret));
  } catch {
    // A program that was killed may have left a part.
    return false;
  }
}

/** The order of a list keeps that of the certificates of an owner. */
function byOwner(one: Issued, other: Issued): number {
  const [first, second] = [stemOf(one.role), stemOf(other.role)];
  return first < second ? -1 : first > second ? 1 : 0;
}

function stemOf(role: Role): string {
  return role.kind === "host" ? "host" : `${role.kind}-${role.name}`;
}
