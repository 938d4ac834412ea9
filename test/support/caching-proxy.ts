import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";

/**
 * A proxy for apt that keeps the packages it has fetched in a folder, so that a second run downloads none. A package
 * never changes under its name; all else is fetched each time.
 */
export class CachingProxy implements AsyncDisposable {
  /** How many packages were fetched from a mirror. */
  fetched = 0;
  readonly #folder: string;
  readonly #server = createServer((asked, answer) => {
    this.#answer(asked, answer).catch(() => answer.destroy());
  });

  readonly #name: string;

  private constructor(folder: string, name: string) {
    this.#folder = folder;
    this.#name = name;
  }

  /** `name` must lead to the address wherever the proxy is used. */
  static async open(
    folder: string,
    { address, name }: { address: string; name: string },
  ): Promise<CachingProxy> {
    await mkdir(folder, { recursive: true });
    const proxy = new CachingProxy(folder, name);
    proxy.#server.listen(0, address);
    await once(proxy.#server, "listening");
    return proxy;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://${this.#name}:${port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #answer({ url = "", headers }: IncomingMessage, answer: ServerResponse): Promise<void> {
    if (!url.endsWith(".deb")) return await this.#pass(url, headers, answer);
    const path = join(this.#folder, basename(new URL(url).pathname));
    const found = await open(path).catch(() => undefined);
    if (!found) return await this.#keep(url, path, answer);
    answer.writeHead(200, { "content-length": (await found.stat()).size });
    await pipeline(found.createReadStream(), answer);
  }

  async #pass(url: string, headers: object, answer: ServerResponse): Promise<void> {
    const response = await fetch(url, headers);
    answer.writeHead(response.statusCode ?? 502, response.headers);
    await pipeline(response, answer);
  }

  async #keep(url: string, path: string, answer: ServerResponse): Promise<void> {
    const response = await fetch(url, {});
    if (response.statusCode !== 200) return void response.pipe(answer.writeHead(response.statusCode ?? 502));
    const part = `${path}.${randomBytes(4).toString("hex")}`;
    try {
      await pipeline(response, createWriteStream(part));
      await rename(part, path);
    } finally {
      await rm(part, { force: true });
    }
    this.fetched++;
    await this.#answer({ url, headers: {} } as IncomingMessage, answer);
  }
}

async function fetch(url: string, headers: object): Promise<IncomingMessage> {
  const asking = request(url, { headers: { ...headers, host: new URL(url).host } });
  asking.end();
  const [response] = (await once(asking, "response")) as [IncomingMessage];
  return response;
}
