import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";

const USER = "ada";
export const PASSWORD = "s3cret-of-the-mirror";

/** A mirror of Debian that asks for a password, and that only this machine can reach. */
export class PrivateMirror implements AsyncDisposable {
  readonly #server = createServer((asked, answer) => {
    pass(asked, answer).catch(() => answer.destroy());
  });

  static async open(): Promise<PrivateMirror> {
    const mirror = new PrivateMirror();
    mirror.#server.listen(0, "127.0.0.1");
    await once(mirror.#server, "listening");
    return mirror;
  }

  /** With the password. */
  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://${USER}:${PASSWORD}@127.0.0.1:${port}/debian`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

async function pass({ url = "", headers }: IncomingMessage, answer: ServerResponse): Promise<void> {
  const expected = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString("base64")}`;
  if (headers.authorization !== expected) return void answer.writeHead(401).end();
  const { authorization: _, ...others } = headers;
  const host = "deb.debian.org";
  const asking = request(`http://${host}${url}`, { headers: { ...others, host } });
  asking.end();
  const [response] = (await once(asking, "response")) as [IncomingMessage];
  answer.writeHead(response.statusCode ?? 502, response.headers);
  await pipeline(response, answer);
}
