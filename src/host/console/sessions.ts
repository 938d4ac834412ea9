import { join } from "node:path";
import * as z from "zod";
import type { Clock } from "../../base/async/clock.ts";
import { KeyedMutex } from "../../base/async/keyed-mutex.ts";
import { JsonFile } from "../../base/files/json-file.ts";
import type { Logger } from "../../base/logger.ts";
import { digest, newSecret, SECRET_LENGTH } from "./one-time-tokens.ts";

/** How long a browser stays signed in. */
export const SESSION_DAYS = 30;

/** The oldest gives way. */
const MOST = 64;

const schema = z
  .array(
    z.object({
      digest: z.string().max(64),
      /** Missing in what an earlier version wrote: such a session opens nothing any more. */
      key: z.string().max(64).optional(),
      until: z.number(),
    }),
  )
  .max(MOST);
type Kept = z.output<typeof schema>[number];

/** What a browser shows of itself. */
export interface Credentials {
  /** The values of its cookie: there may be several of a name, for different paths. */
  readonly cookies: readonly string[];
  /** Of its page; a cookie without it opens nothing. */
  readonly pageKey: string;
}

/** The secrets of a new session. */
export interface NewSession {
  readonly cookie: string;
  readonly pageKey: string;
}

/** Identifies a session, and is no secret. */
export type SessionId = string;

/** The browsers that are signed in, also after the host was started again. Of their secrets only digests are kept. */
export class Sessions {
  readonly #file: JsonFile<typeof schema>;
  readonly #clock: Clock;
  #all: readonly Kept[];
  readonly #mutex = new KeyedMutex();

  private constructor(file: JsonFile<typeof schema>, clock: Clock, all: readonly Kept[]) {
    this.#file = file;
    this.#clock = clock;
    this.#all = all;
  }

  static async open(folder: string, clock: Clock, log: Logger): Promise<Sessions> {
    const path = join(folder, "console-sessions.json");
    const file = new JsonFile({ path, schema, without: "every browser has to sign in again" });
    return new Sessions(file, clock, (await file.readOrSetAside(log)) ?? []);
  }

  /** Signs a browser in. Returns its secrets, once the session is on disk. */
  async begin(): Promise<NewSession> {
    const secrets = { cookie: newSecret(), pageKey: newSecret() };
    const now = this.#clock.now();
    const until = now + SESSION_DAYS * 24 * 3_600_000;
    const living = this.#all.filter((each) => each.until > now);
    const begun = { digest: digest(secrets.cookie), key: digest(secrets.pageKey), until };
    this.#all = [...living, begun].slice(-MOST);
    await this.#write();
    return secrets;
  }

  /** The session of a browser that shows both its secrets; undefined: it is not signed in. */
  find({ cookies, pageKey }: Credentials): SessionId | undefined {
    if (pageKey.length !== SECRET_LENGTH) return undefined;
    const key = digest(pageKey);
    return cookies.map((each) => this.#ofCookie(each)).find((each) => each?.key === key)?.digest;
  }

  /** The session that one of the cookies belongs to: enough for a page without content, and for nothing else. */
  ofCookies(cookies: readonly string[]): SessionId | undefined {
    return cookies.map((each) => this.#ofCookie(each)).find((each) => each !== undefined)?.digest;
  }

  /** Whether a session goes on. */
  has(id: SessionId): boolean {
    const now = this.#clock.now();
    return this.#all.some(({ digest: each, until }) => each === id && until > now);
  }

  /** Signs a browser out. */
  async end(id: SessionId): Promise<void> {
    this.#all = this.#all.filter((each) => each.digest !== id);
    await this.#write();
  }

  #ofCookie(cookie: string): Kept | undefined {
    if (cookie.length !== SECRET_LENGTH) return undefined;
    const [now, wanted] = [this.#clock.now(), digest(cookie)];
    return this.#all.find((each) => each.digest === wanted && each.until > now);
  }

  async #write(): Promise<void> {
    await this.#mutex.run("", () => this.#file.write([...this.#all]));
  }
}
