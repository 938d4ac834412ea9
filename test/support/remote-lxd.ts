import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import type { EngineAddress } from "../../src/engine/engine.ts";
import type { PrivateLxd } from "./private-lxd.ts";
import { execute } from "./system-state.ts";

/** Lets an engine answer over HTTPS to one client that it trusts: its address, with that client's key. */
export async function openRemotely(lxd: PrivateLxd): Promise<EngineAddress & { kind: "https" }> {
  const port = await freePort();
  await using local = await lxd.connect();
  const address = `127.0.0.1:${port}`;
  await local.server.updateConfig((config) => ({ ...config, "core.https_address": address }));
  const { cert, key } = await certificate(lxd.folder, "trusted");
  const body = {
    type: "client",
    name: "test",
    certificate: new X509Certificate(cert).raw.toString("base64"),
  };
  lxd.cliSync("query", "--request", "POST", "/1.0/certificates", "--data", JSON.stringify(body));
  const ca = await readFile(join(lxd.folder, "server.crt"), "utf8");
  return { kind: "https", host: "127.0.0.1", port, cert, key, ca };
}

/** A client's certificate and key, which lie in the folder as NAME.crt and NAME.key too. */
export async function certificate(folder: string, name: string): Promise<{ cert: string; key: string }> {
  const [cert, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await execute("openssl", ["req", "-x509", ...curve, "-subj", `/CN=${name}`, "-keyout", key, "-out", cert]);
  return { cert: await readFile(cert, "utf8"), key: await readFile(key, "utf8") };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
