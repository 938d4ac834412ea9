import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { createClient } from "@connectrpc/connect";
import type { Logger } from "../../src/base/logger.ts";
import { Tremplin } from "../../src/contract/tremplin_pb.js";
import type { Address } from "../../src/transport/address.ts";
import { dial } from "../../src/transport/client.ts";
import { type RpcServer, serve } from "../../src/transport/server.ts";
import { readTls, type Tls } from "../../src/transport/tls.ts";
import { hostileRoutes, provoke, turns } from "../support/hostile-peer.ts";
import { type KeptFolder, keptFolder } from "../support/keeper.ts";
import { execute } from "../support/system-state.ts";

let folder: KeptFolder;
let ours: Tls;
let strangers: Tls;
let server: RpcServer;
const logged: string[] = [];
const log = { warn: ({ reason }: { reason: string }) => logged.push(reason), error: () => undefined };

/** An authority of its own and one certificate of it, for both sides. */
async function certificates(name: string): Promise<Tls> {
  const path = (file: string): string => join(folder.path, `${name}-${file}`);
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const authority = ["-keyout", path("ca.key"), "-out", path("ca.crt"), "-subj", `/CN=${name}`, "-days", "2"];
  await execute("openssl", ["req", "-x509", ...curve, ...authority]);
  const own = ["-keyout", path("key"), "-out", path("crt"), "-subj", "/CN=localhost", "-days", "2"];
  const names = [
    "-addext",
    "subjectAltName=DNS:localhost,DNS:vm.example,IP:127.0.0.1",
    "-addext",
    "basicConstraints=CA:FALSE",
  ];
  const signed = ["-CA", path("ca.crt"), "-CAkey", path("ca.key")];
  await execute("openssl", ["req", "-x509", ...curve, ...own, ...names, ...signed]);
  return readTls({ cert: path("crt"), key: path("key"), ca: path("ca.crt") }) as Tls;
}

/** A certificate of our authority that was valid for a day, long ago. */
async function expiredCertificate(): Promise<Pick<Tls, "cert" | "key">> {
  const path = (file: string): string => join(folder.path, file);
  const key = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-keyout",
    path("old.key"),
  ];
  await execute("openssl", ["req", "-new", ...key, "-subj", "/CN=localhost", "-out", path("old.csr")]);
  await writeFile(path("index"), "");
  await writeFile(path("serial"), "01");
  const settings = [`database=${path("index")}`, `serial=${path("serial")}`, `new_certs_dir=${folder.path}`];
  const lines = [
    "[ca]",
    "default_ca=x",
    "[x]",
    ...settings,
    "default_md=sha256",
    "policy=p",
    "[p]",
    "commonName=supplied",
  ];
  await writeFile(path("ca.cnf"), `${lines.join("\n")}\n`);
  const dates = ["-startdate", "20200101000000Z", "-enddate", "20200102000000Z"];
  const authority = ["-cert", path("ours-ca.crt"), "-keyfile", path("ours-ca.key")];
  const files = ["-config", path("ca.cnf"), "-in", path("old.csr"), "-out", path("old.crt"), "-notext"];
  await execute("openssl", ["ca", "-batch", ...files, ...authority, ...dates]);
  return { cert: await readFile(path("old.crt"), "utf8"), key: await readFile(path("old.key"), "utf8") };
}

before(async () => {
  folder = await keptFolder();
  ours = await certificates("ours");
  strangers = await certificates("strangers");
  server = await serve({
    addresses: [{ kind: "tcp", host: "127.0.0.1", port: 0 }],
    tls: ours,
    log: log as unknown as Logger,
    routes: hostileRoutes,
  });
});
after(async () => {
  await server[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

async function ask(tls: Tls | undefined): Promise<string> {
  using connection = dial(server.addresses[0] as Address, { tls });
  const client = createClient(Tremplin, connection.transport);
  return (await client.getDebugInfo({}, { timeoutMs: 5_000 })).debugInformation;
}

test("who shows a certificate of our authority is answered", async () => {
  assert.equal(await ask(ours), "hello");
});

test("a certificate of a stranger is refused with a sentence at the client and a line in the server's log", async () => {
  for (let time = 0; time < 3; time++) {
    logged.length = 0;
    await assert.rejects(ask({ ...strangers, ca: ours.ca }), (error) => {
      assert.match(
        String(error),
        /does not accept the certificate of --tls-cert, which must be valid and signed by/,
      );
      return true;
    });
    assert.deepEqual(logged, ["the certificate is not signed by the authority of --tls-ca"]);
  }
});

test("a server with the certificate of a stranger is not believed", async () => {
  await assert.rejects(
    ask(strangers),
    /with TLS: the certificate is not signed by the authority of --tls-ca/,
  );
});

test("who shows no certificate, an expired one, or speaks an old TLS or in the clear is refused and logged", async () => {
  const { port } = server.addresses[0] as { port: number };
  const at = { port, host: "127.0.0.1" };
  /** Sends a request as soon as it can. Answers what came back and what was logged. */
  const refused = async (socket: Socket): Promise<{ answer: string; reasons: string[] }> => {
    logged.length = 0;
    let answer = "";
    socket
      .on("error", () => undefined)
      .on("data", (chunk) => {
        answer += chunk;
      });
    socket.write(`POST ${"/".repeat(100)} HTTP/1.1\r\n\r\n`);
    await new Promise((resolve) => socket.once("close", resolve));
    // Both ends are in this process.
    await turns(20);
    return { answer, reasons: [...logged] };
  };
  const { ca } = ours;
  assert.deepEqual(await refused(connectTls({ ...at, ca })), {
    answer: "",
    reasons: ["it has no certificate"],
  });
  assert.deepEqual(await refused(connectTls({ ...at, ca, ...(await expiredCertificate()) })), {
    answer: "",
    reasons: ["the certificate has expired"],
  });
  const old = { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" } as const;
  assert.deepEqual(await refused(connectTls({ ...at, ...ours, ...old })), {
    answer: "",
    reasons: ["the other side has only an old version of TLS"],
  });
  assert.deepEqual(await refused(connect(at)), { answer: "", reasons: ["the other side does not use TLS"] });
  await assert.rejects(ask(undefined), /closed the connection at once: if it expects TLS, give --tls-cert/);
});

test("HTTP/2 in TLS begins in any pieces, also for a client that negotiated no version", async () => {
  const { port } = server.addresses[0] as { port: number };
  const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
  const bytes = Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), settings]);
  for (const ALPNProtocols of [["h2"], undefined]) {
    for (const cut of [1, 2, 3, 10, 18, 23, 24, 30]) {
      const socket = connectTls({
        port,
        host: "127.0.0.1",
        ...ours,
        ...(ALPNProtocols && { ALPNProtocols }),
      });
      await once(socket, "secureConnect");
      socket.write(bytes.subarray(0, cut));
      await turns(20);
      socket.write(bytes.subarray(cut));
      const [first] = (await once(socket, "data")) as [Buffer];
      assert.equal(first[3], 4, `it begins with the settings of HTTP/2 after ${cut} bytes`);
      socket.destroy();
    }
  }
});

test("HTTP/1.1 in TLS is answered, in the names of the certificate and no others", async () => {
  const { port } = server.addresses[0] as { port: number };
  const post = async (host: string): Promise<number> => {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const headers = { "content-type": "application/json", host };
    const path = "/vm_tools.tremplin.Tremplin/GetDebugInfo";
    const options = {
      ...ours,
      port,
      host: "127.0.0.1",
      servername: "localhost",
      path,
      method: "POST",
      headers,
      agent: false,
    };
    const asked = request(options, (answer) => {
      answer.resume().once("end", () => resolve(answer.statusCode ?? 0));
    });
    asked.once("error", reject).end("{}");
    return await promise;
  };
  assert.deepEqual(await Promise.all(["localhost", "vm.example", "10.0.0.1:9"].map(post)), [200, 200, 200]);
  assert.deepEqual(
    await Promise.all(["evil.example", "localhost.", "vm.example.org"].map(post)),
    [421, 421, 421],
  );
});

test("nothing that is sent to a listener with TLS ends the process, inside of it or in the clear", async () => {
  const address = server.addresses[0] as {
    readonly kind: "tcp";
    readonly host: string;
    readonly port: number;
  };
  await provoke(address, { tls: ours });
  for (const ALPNProtocols of [["h2"], ["http/1.1"], []]) {
    const inside = async () => {
      const socket = connectTls({ ...address, ...ours, ALPNProtocols });
      await once(socket, "secureConnect");
      return socket;
    };
    await provoke(address, { tls: ours, open: inside });
  }
});

test("half of the files is a clear refusal", () => {
  assert.throws(() => readTls({ cert: "/x" }), /all three of --tls-cert, --tls-key and --tls-ca/);
  assert.throws(() => readTls({ cert: "/x", key: "/x", ca: "/x" }), /cannot read \/x for TLS/);
  const path = (file: string): string => join(folder.path, file);
  const [cert, ca] = [path("ours-crt"), path("ours-ca.crt")];
  for (const key of [path("strangers-key"), cert]) {
    assert.throws(() => readTls({ cert, key, ca }), /cannot use TLS: .* must be a certificate, .* its key/);
  }
});
