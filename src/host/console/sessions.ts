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

const schema = z.array(z.object({ digest: z.string().max(64), until: z.number() })).max(MOST);
type Session = z.output<typeof schema>[number];

/** The browsers that are signed in, also after the host was started again. Of their secrets only digests are kept. */
export class Sessions {
  readonly #file: JsonFile<typeof schema>;
  readonly #clock: Clock;
  #all: readonly Session[];
  readonly #mutex = new KeyedMutex();

  private constructor(file: JsonFile<typeof schema>, clock: Clock, all: readonly Session[]) {
    this.#file = file;
    this.#clock = clock;
    this.#all = all;
  }

  static async open(folder: string, clock: Clock, log: Logger): Promise<Sessions> {
    const path = join(folder, "console-sessions.json");
    const file = new JsonFile({ path, schema, without: "every browser has to sign in again" });
    return new Sessions(file, clock, (await file.readOrSetAside(log)) ?? []);
  }

  /** Signs a browser in. Returns its secret, once the session is on disk. */
  async begin(): Promise<string> {
    const secret = newSecret();
    const now = this.#clock.now();
    const until = now + SESSION_DAYS * 24 * 3_600_000;
    const living = this.#all.filter((each) => each.until > now);
    this.#all = [...living, { digest: digest(secret), until }].slice(-MOST);
    await this.#write();
    return secret;
  }

  isSignedIn(secret: string): boolean {
    if (secret.length !== SECRET_LENGTH) return false;
    const [now, wanted] = [this.#clock.now(), digest(secret)];
    return this.#all.some((each) => each.digest === wanted && each.until > now);
  }

  /** Signs a browser out. */
  async end(secret: string): Promise<void> {
    const ended = digest(secret);
    this.#all = this.#all.filter((each) => each.digest !== ended);
    await this.#write();
  }

  async #write(): Promise<void> {
    await this.#mutex.run("", () => this.#file.write([...this.#all]));
  }
}
