import { apiPath } from "./api-path.ts";
import type { EngineHttp } from "./engine-http.ts";
import type { Options } from "./options.ts";
import { changeVersioned, getVersioned, type Versioned } from "./versioned.ts";

/** What pools, networks and profiles have in common: named objects that are read and written as a whole. */
export class Collection<Item extends Update, Create, Update extends object> {
  protected readonly http: EngineHttp;
  protected readonly name: string;
  readonly #writable: readonly (keyof Update)[];

  /** `name` as in the API's path; `writable`: the keys that an update sends. */
  constructor(http: EngineHttp, name: string, writable: readonly (keyof Update)[]) {
    this.http = http;
    this.name = name;
    this.#writable = writable;
  }

  async get(name: string, options: Options = {}): Promise<Versioned<Item>> {
    return getVersioned<Item>(this.http, apiPath(this.name, name), options);
  }

  async list({ signal }: Options = {}): Promise<Item[]> {
    const query = { recursion: "1" };
    return (await this.http.call<Item[]>({ method: "GET", path: apiPath(this.name), query, signal }))
      .metadata;
  }

  /** Throws `exists` if there is one of that name. */
  async create(body: Create, { signal }: Options = {}): Promise<void> {
    await this.http.call({ method: "POST", path: apiPath(this.name), body, signal });
  }

  /** Changes what is there: reads, applies, writes if nobody wrote in between, else again (at most 5 times). */
  async update(name: string, change: (value: Update) => Update, { signal }: Options = {}): Promise<void> {
    const path = apiPath(this.name, name);
    await changeVersioned<Update>(
      async () => {
        const { value, etag } = await getVersioned<Item>(this.http, path, { signal });
        return { value: this.#pick(value), etag };
      },
      change,
      (body, headers) => this.http.call({ method: "PUT", path, body, headers, signal }),
    );
  }

  async delete(name: string, { signal }: Options = {}): Promise<void> {
    await this.http.call({ method: "DELETE", path: apiPath(this.name, name), signal });
  }

  #pick(item: Update): Update {
    return Object.fromEntries(this.#writable.map((key) => [key, item[key]])) as Update;
  }
}
