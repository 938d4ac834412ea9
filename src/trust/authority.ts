import { X509Certificate } from "node:crypto";
import { readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../base/async/clock.ts";
import { acquireLock } from "../base/files/file-lock.ts";
import { canAccess, replaceFile, textOfFile } from "../base/files/files.ts";
import { makeOwnFolder } from "../base/files/own-folder.ts";
import { runProgram } from "../base/processes/run-program.ts";
import { TremplinError } from "../base/tremplin-error.ts";
import { parseSerials } from "../transport/revoked-serials.ts";
import { type Role, roleIn, roleText } from "../transport/role.ts";
import { authorityConfig, certificateConfig } from "./certificate-request.ts";

/** Ten years. */
const DAYS = 3650;
/** Everybody can call the host so on its own machine. */
const OWN_ADDRESSES = ["localhost", "127.0.0.1", "::1"];
const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** A certificate of the authority, and where it is. */
export interface Certificate {
  readonly role: Role;
  readonly serial: string;
  readonly until: Date;
  readonly state: "valid" | "expired" | "revoked";
  /** The paths of certificate and key. */
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
 * there, and lists what is revoked in the file `revoked`, which a host with `--tls-ca` in that folder reads.
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
  async issue(role: Role, { addresses = [], renew = false }: IssueOptions): Promise<Certificate> {
    await using _lock = await this.#lock();
    if (!(await canAccess(this.certificate))) await this.#create();
    if (role.kind !== "host" && !(await this.#find({ kind: "host" })))
      await this.#sign({ kind: "host" }, OWN_ADDRESSES);
    const known = await this.#find(role);
    if (known?.state === "valid" && !renew) {
      throw new TremplinError(
        "exists",
        `${roleText(role)} has a certificate already, ${known.cert}: use that one, revoke it, or make another one with --renew`,
      );
    }
    const names = role.kind === "host" ? [...new Set([...OWN_ADDRESSES, ...addresses])] : addresses;
    await this.#sign(role, names);
    return (await this.#find(role)) as Certificate;
  }

  /** The newest certificate of each owner. */
  async list(): Promise<Certificate[]> {
    const names = (await canAccess(this.folder)) ? await readdir(this.folder) : [];
    const stems = names.filter((name) => /^(host|guest-.+|client-.+)\.crt$/.test(name)).toSorted();
    const found = await Promise.all(stems.map((name) => this.#read(name.slice(0, -".crt".length))));
    return found.filter((each) => each !== undefined);
  }

  /** Revokes the newest certificate of an owner. Throws `not-found` where it has none. */
  async revoke(role: Role): Promise<Certificate> {
    const found = await this.#find(role);
    if (!found) {
      throw new TremplinError("not-found", `${roleText(role)} has no certificate in ${this.folder}`);
    }
    await this.revokeSerial(found.serial, roleText(role));
    return { ...found, state: "revoked" };
  }

  /** Revokes a certificate by its serial number. `owner` is a remark. Throws `invalid`. */
  async revokeSerial(serial: string, owner = ""): Promise<void> {
    const [wanted] = parseSerials(serial);
    if (wanted === undefined) throw new TremplinError("invalid", "a serial number is missing");
    await using _lock = await this.#lock();
    const text = (await textOfFile(this.#revoked)) ?? "";
    if (parseSerials(text).has(wanted)) return;
    const day = new Date(this.#clock.now()).toISOString().slice(0, 10);
    const separator = text === "" || text.endsWith("\n") ? "" : "\n";
    await replaceFile(
      this.#revoked,
      `${text}${separator}${[wanted, owner, day].filter(Boolean).join(" ")}\n`,
    );
  }

  get #revoked(): string {
    return join(this.folder, "revoked");
  }

  async #lock(): Promise<AsyncDisposable> {
    await makeOwnFolder(this.folder);
    return await acquireLock(join(this.folder, "lock"), `another tremplin trust is using ${this.folder}`);
  }

  async #create(): Promise<void> {
    await this.#openssl("ca", authorityConfig(), []);
  }

  async #sign(role: Role, addresses: readonly string[]): Promise<void> {
    const authority = ["-CA", this.certificate, "-CAkey", join(this.folder, "ca.key")];
    await this.#openssl(stemOf(role), certificateConfig(role, addresses), authority);
  }

  /** Makes a key and a certificate. The certificate appears last, so that one that exists is complete. */
  async #openssl(stem: string, config: string, args: readonly string[]): Promise<void> {
    const path = (suffix: string): string => join(this.folder, `${stem}.${suffix}`);
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
    await rename(path("key.new"), path("key"));
    await rename(path("crt.new"), path("crt"));
    await rm(path("cnf.new"));
  }

  #find(role: Role): Promise<Certificate | undefined> {
    return this.#read(stemOf(role));
  }

  /** Undefined where there is no such file, or it has no role. */
  async #read(stem: string): Promise<Certificate | undefined> {
    const cert = join(this.folder, `${stem}.crt`);
    const pem = await textOfFile(cert);
    if (pem === undefined) return undefined;
    const { serialNumber: serial, subjectAltName, validTo } = new X509Certificate(pem);
    const role = roleIn(subjectAltName);
    if (!role) return undefined;
    const [normal = ""] = parseSerials(serial);
    const isRevoked = parseSerials((await textOfFile(this.#revoked)) ?? "").has(normal);
    const until = new Date(validTo);
    const isExpired = until.getTime() <= this.#clock.now();
    const state = isRevoked ? "revoked" : isExpired ? "expired" : "valid";
    return { role, serial, until, state, cert, key: join(this.folder, `${stem}.key`) };
  }
}

function stemOf(role: Role): string {
  return role.kind === "host" ? "host" : `${role.kind}-${role.name}`;
}
