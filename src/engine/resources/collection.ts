import { apiPath } from "../http/api-path.ts";
import { type ProjectOptions, projectQuery } from "../http/call-options.ts";
import type { EngineHttp } from "../http/engine-http.ts";
import { changeVersioned, getVersioned, type Versioned } from "../http/versioned.ts";

/** Named objects of the engine that are read and written as a whole: pools, networks, profiles and others. */
export class Collection<Item extends Update, Create, Update extends object> {
  protected readonly http: EngineHttp;
  protected readonly name: string;
  readonly #parts: readonly string[];
  readonly #writable: readonly (keyof Update)[];

  /**
   * `name` is the name in the API's path, in parts if it is below another object; `writable` are the keys that an
   * update sends.
   */
  constructor(http: EngineHttp, name: string | readonly string[], writable: readonly (keyof Update)[]) {
    this.http = http;
    this.#parts = typeof name === "string" ? [name] : name;
    this.name = this.#parts.join("/");
    this.#writable = writable;
  }

  async get(name: string, options: ProjectOptions = {}): Promise<Versioned<Item>> {
    return getVersioned<Item>(this.http, this.#path(name), options);
  }

  async list(options: ProjectOptions = {}): Promise<Item[]> {
    const query = { recursion: "1", ...projectQuery(options) };
    const { signal } = options;
    return (await this.http.call<Item[]>({ method: "GET", path: this.#path(), query, signal })).metadata;
  }

  /** Throws `exists` if the name is taken. */
  async create(body: Create, options: ProjectOptions = {}): Promise<void> {
    const query = projectQuery(options);
    await this.http.call({ method: "POST", path: this.#path(), query, body, signal: options.signal });
  }

  /** Reads, changes and writes; repeats that when another client wrote in between (see changeVersioned). */
  async update(name: string, change: (value: Update) => Update, options: ProjectOptions = {}): Promise<void> {
    const path = this.#path(name);
    const query = projectQuery(options);
    const { signal } = options;
    await changeVersioned<Update>(
      async () => {
        const { value, etag } = await getVersioned<Item>(this.http, path, options);
        return { value: this.#pick(value), etag };
      },
      change,
      (body, headers) => this.http.call({ method: "PUT", path, query, body, headers, signal }),
    );
  }

  async delete(name: string, options: ProjectOptions = {}): Promise<void> {
    const query = projectQuery(options);
    await this.http.call({ method: "DELETE", path: this.#path(name), query, signal: options.signal });
  }

  #path(...more: readonly string[]): string {
    return apiPath(...this.#parts, ...more);
  }

  #pick(item: Update): Update {
    return Object.fromEntries(this.#writable.map((key) => [key, item[key]])) as Update;
  }
}
