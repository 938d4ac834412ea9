import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { copyFile, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { type KeptFolder, keptFolder } from "./keeper.ts";
import { execute } from "./system-state.ts";

export interface SimplestreamsOptions {
  /** What the image is asked for by: "debian/bookworm". */
  readonly alias: string;
  readonly metadataPath: string;
  readonly rootfsPath: string;
  /** Serves HTTPS with a certificate of its own, which the engine must be told to trust (SSL_CERT_FILE). */
  readonly tls?: boolean;
}

/** An image server of one image for both engines, on loopback (docs/engines.md#image-servers). */
export class Simplestreams implements AsyncDisposable {
  readonly url: string;
  /** Path of the PEM certificate, with `tls`. */
  readonly certificatePath: string;
  /** Every path that was asked for. */
  readonly asked: string[] = [];
  /** How fast the root filesystem is sent; it can be changed while it is. */
  bytesPerSecond = Number.POSITIVE_INFINITY;
  readonly #folder: KeptFolder;
  readonly #server: Server;
  readonly #begun = Promise.withResolvers<void>();
  #open = Promise.withResolvers<void>();

  private constructor(folder: KeptFolder, server: Server, tls: boolean) {
    this.#folder = folder;
    this.#server = server;
    this.#open.resolve();
    this.url = `${tls ? "https" : "http"}://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.certificatePath = join(folder.path, "server.crt");
    server.on("request", (request, response) => void this.#answer(request, response));
  }

  static async open(options: SimplestreamsOptions): Promise<Simplestreams> {
    const folder = await keptFolder();
    await writeTree(join(folder.path, "tree"), options);
    const server = options.tls ? createSecureServer(await certificate(folder.path)) : createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Simplestreams(folder, server, options.tls === true);
  }

  /** Resolves when the first bytes of the root filesystem have been sent. */
  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  /** Sends nothing more, and leaves the connections open. */
  stall(): void {
    this.goOn();
    this.#open = Promise.withResolvers();
  }

  /** Goes on after a stall. */
  goOn(): void {
    this.#open.resolve();
  }

  /** Breaks all connections, in the middle of whatever they send. Later requests are served. */
  cut(): void {
    this.#server.closeAllConnections();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.goOn();
    const closed = once(this.#server, "close");
    this.#server.close();
    this.cut();
    await closed;
    await this.#folder[Symbol.asyncDispose]();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? "", this.url);
    this.asked.push(pathname);
    const path = join(this.#folder.path, "tree", pathname);
    const found = await stat(path).catch(() => undefined);
    if (!found?.isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-length": found.size, "content-type": "application/octet-stream" });
    if (request.method === "HEAD") response.end();
    // A client that goes away in the middle is what some tests are about.
    else await this.#send(path, response).catch(() => undefined);
  }

  async #send(path: string, response: ServerResponse): Promise<void> {
    const source = createReadStream(path, { highWaterMark: 64 * 1024 });
    if (path.endsWith("/rootfs")) await pipeline(source, (chunks) => this.#slowed(chunks), response);
    else await pipeline(source, response);
  }

  async *#slowed(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
    for await (const chunk of chunks) {
      await Promise.all([this.#open.promise, delay((1000 * chunk.length) / this.bytesPerSecond)]);
      yield chunk;
      this.#begun.resolve();
    }
  }
}

/** Both engines' items name the same files. Their content decides how they are unpacked, not their names. */
async function writeTree(
  tree: string,
  { alias, metadataPath, rootfsPath }: SimplestreamsOptions,
): Promise<void> {
  const version = "20260101_0000";
  const folder = `images/${version}`;
  await mkdir(join(tree, folder), { recursive: true });
  await mkdir(join(tree, "streams/v1"), { recursive: true });
  await copyFile(metadataPath, join(tree, folder, "metadata"));
  await copyFile(rootfsPath, join(tree, folder, "rootfs"));
  const metadata = await readFile(metadataPath);
  const rootfs = await readFile(rootfsPath);
  const combined = sha256(metadata, rootfs);
  const item = {
    path: `${folder}/metadata`,
    sha256: sha256(metadata),
    size: metadata.length,
    combined_sha256: combined,
    combined_rootxz_sha256: combined,
  };
  const items = {
    "lxd.tar.xz": { ...item, ftype: "lxd.tar.xz" },
    "incus.tar.xz": { ...item, ftype: "incus.tar.xz" },
    "root.tar.xz": {
      ftype: "root.tar.xz",
      path: `${folder}/rootfs`,
      sha256: sha256(rootfs),
      size: rootfs.length,
    },
  };
  const arch = process.arch === "arm64" ? "arm64" : "amd64";
  const product = {
    aliases: alias,
    arch,
    os: "Test",
    release: "test",
    release_title: "test",
    variant: "default",
  };
  const products = { [`test:${arch}`]: { ...product, versions: { [version]: { items } } } };
  const images = { content_id: "images", datatype: "image-downloads", format: "products:1.0", products };
  const { content_id, ...entry } = {
    ...images,
    path: "streams/v1/images.json",
    products: Object.keys(products),
  };
  const index = { format: "index:1.0", index: { [content_id]: entry } };
  await writeFile(join(tree, "streams/v1/images.json"), JSON.stringify(images));
  await writeFile(join(tree, "streams/v1/index.json"), JSON.stringify(index));
}

function sha256(...parts: Buffer[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

async function certificate(folder: string): Promise<{ key: Buffer; cert: Buffer }> {
  const [key, cert] = [join(folder, "server.key"), join(folder, "server.crt")];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  await execute("openssl", ["req", "-x509", ...kind, "-keyout", key, "-out", cert, ...name]);
  return { key: await readFile(key), cert: await readFile(cert) };
}
