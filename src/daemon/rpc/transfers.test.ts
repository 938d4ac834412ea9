import assert from "node:assert/strict";
import {
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { type TestContext, test } from "node:test";
import { Code, createClient } from "@connectrpc/connect";
import { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import { dial } from "../../transport/client.ts";
import { serve } from "../../transport/server.ts";
import { transfers } from "./transfers.ts";

const encoder = new TextEncoder();

async function fixture(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "transfers-"));
  const shared = join(folder, "shared");
  await mkdir(shared);
  const address = { kind: "unix", path: join(folder, "guest.sock") } as const;
  const server = await serve({
    addresses: [address],
    routes: (router) => router.service(Guest, transfers({ places: { state: folder, shared } })),
  });
  const connection = dial(address);
  t.after(async () => {
    connection[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });
  const at = join(shared, "transfers");
  return { folder, shared, at, guest: createClient(Guest, connection.transport) };
}

type Inputs = Parameters<Awaited<ReturnType<typeof fixture>>["guest"]["writeTransfer"]>[0];

async function* inputs(fileName: string, texts: readonly string[], done: boolean): Inputs {
  yield { input: { case: "fileName", value: fileName }, totalBytes: 0n };
  for (const text of texts) yield { input: { case: "data", value: encoder.encode(text) } };
  if (done) yield { input: { case: "done", value: true } };
}

test("a file that was sent can be read and removed, and only its caller's machine can see it", async (t) => {
  const { at, guest } = await fixture(t);
  const answers = await Array.fromAsync(guest.writeTransfer(inputs("web.tar.zst", ["BZh", "two"], true)));
  const path = answers.at(-1)?.path ?? "";
  assert.match(path, /\/transfers\/[0-9a-f]{16}\.tar\.zst$/);
  assert.equal(answers.at(-2)?.receivedBytes, 6n);
  assert.equal(await readFile(path, "utf8"), "BZhtwo");
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal((await stat(at)).mode & 0o777, 0o700);
  const chunks = await Array.fromAsync(guest.readTransfer({ path }));
  assert.equal(Buffer.concat(chunks.map(({ data }) => data)).toString(), "BZhtwo");
  assert.equal(chunks[0]?.totalBytes, 6n);
  await guest.removeTransfer({ path });
  await guest.removeTransfer({ path });
  assert.deepEqual(await readdir(at), []);
});

test("a file that is not complete leaves nothing", async (t) => {
  const { at, guest } = await fixture(t);
  await assert.rejects(Array.fromAsync(guest.writeTransfer(inputs("x.tar.gz", ["BZh"], false))));
  await assert.rejects(
    Array.fromAsync(
      guest.writeTransfer(
        (async function* (): Inputs {
          yield* inputs("x.tar.gz", ["BZh"], false);
          throw new Error("the caller dies");
        })(),
      ),
    ),
  );
  assert.deepEqual(await readdir(at), []);
});

test("a caller that goes away between two answers leaves nothing", async (t) => {
  const { at, shared } = await fixture(t);
  const handler = transfers({ places: { state: shared, shared } }).writeTransfer as unknown as (
    inputs: AsyncIterable<unknown>,
  ) => AsyncGenerator<unknown>;
  for (const end of ["throw", "return"] as const) {
    const answers = handler(inputs("x.tar.gz", [`BZh${"x".repeat(600)}`, "two"], false));
    await answers.next();
    assert.equal((await readdir(at)).length, 1);
    await answers[end](new Error("the caller is gone")).catch(() => undefined);
    assert.deepEqual(await readdir(at), []);
  }
});

test("nothing but transfers can be read or removed", async (t) => {
  const { folder, shared, at, guest } = await fixture(t);
  const { path } = await guest.createTransfer({ fileName: "x" });
  await writeFile(join(folder, "secret"), "secret");
  await writeFile(join(shared, "0123456789abcdef.tar.gz"), "a backup");
  await symlink(join(folder, "secret"), path);
  for (const each of ["", "/etc/passwd", join(shared, "0123456789abcdef.tar.gz"), `${at}/../../secret`, at]) {
    await assert.rejects(Array.fromAsync(guest.readTransfer({ path: each })), { code: Code.NotFound });
    await assert.rejects(guest.removeTransfer({ path: each }), { code: Code.NotFound });
  }
  await assert.rejects(Array.fromAsync(guest.readTransfer({ path })), /it is a symbolic link/);
  await guest.removeTransfer({ path });
  assert.equal(await readFile(join(folder, "secret"), "utf8"), "secret");
});

test("a link in place of the folder is refused", async (t) => {
  const { folder, at, guest } = await fixture(t);
  await mkdir(join(folder, "elsewhere"));
  await symlink(join(folder, "elsewhere"), at);
  await assert.rejects(guest.createTransfer({ fileName: "x" }), /transfers is a link: remove it/);
  await assert.rejects(Array.fromAsync(guest.writeTransfer(inputs("x", ["BZh"], true))), /is a link/);
  assert.deepEqual(await readdir(join(folder, "elsewhere")), []);
});

test("a file that is no backup is refused at its first bytes, and one without room before any", async (t) => {
  const { at, guest } = await fixture(t);
  const refused: [texts: string[], reason: RegExp][] = [
    [["PK\u0003\u0004", "x".repeat(600)], /the file is not a backup: it is a zip file; a backup is/],
    [["short"], /the file is not a backup; a backup is/],
    [[], /the file is empty/],
  ];
  for (const [texts, reason] of refused) {
    await assert.rejects(Array.fromAsync(guest.writeTransfer(inputs("x", texts, true))), reason);
  }
  const large = async function* (): Inputs {
    yield { input: { case: "fileName", value: "x" }, totalBytes: 2n ** 60n };
    yield { input: { case: "done", value: true } };
  };
  const room = /the backup has 1048576 TiB, and only .* are free in .* on the guest: free some space there/;
  await assert.rejects(Array.fromAsync(guest.writeTransfer(large())), room);
  assert.deepEqual(await readdir(at), []);
});

test("a folder that is replaced by a link while a file arrives changes nothing elsewhere", async (t) => {
  const { folder, at, guest } = await fixture(t);
  const elsewhere = join(folder, "elsewhere");
  await mkdir(elsewhere);
  const arrived = Promise.withResolvers<void>();
  const swapping = async function* (): Inputs {
    yield { input: { case: "fileName", value: "x" } };
    yield { input: { case: "data", value: encoder.encode(`BZh${"x".repeat(600)}`) } };
    await arrived.promise;
    await rename(at, join(folder, "moved"));
    await symlink(elsewhere, at);
    yield { input: { case: "data", value: encoder.encode("more") } };
    yield { input: { case: "done", value: true } };
  };
  let path = "";
  for await (const answer of guest.writeTransfer(swapping())) {
    arrived.resolve();
    path = answer.path;
  }
  assert.deepEqual(await readdir(elsewhere), []);
  await writeFile(join(elsewhere, basename(path)), "secret");
  await assert.rejects(Array.fromAsync(guest.readTransfer({ path })), /transfers is a link: remove it/);
  await assert.rejects(guest.removeTransfer({ path }), /transfers is a link/);
  assert.equal(await readFile(join(elsewhere, basename(path)), "utf8"), "secret");
});

test("a folder of another user is refused", { skip: process.geteuid?.() !== 0 }, async (t) => {
  const { at, guest } = await fixture(t);
  await mkdir(at);
  await chown(at, 65_534, 65_534);
  await assert.rejects(guest.createTransfer({ fileName: "x" }), /transfers is of another user \(65534\)/);
  await assert.rejects(Array.fromAsync(guest.writeTransfer(inputs("x", ["BZh"], true))), /of another user/);
});

test("files of callers that never came back are removed after a day, others stay", async (t) => {
  const { at, guest } = await fixture(t);
  await guest.createTransfer({ fileName: "x" });
  const old = new Date(Date.now() - 25 * 3_600_000);
  for (const name of ["0123456789abcdef.tar.gz", "1123456789abcdef.tar.gz.unfinished", "mine.txt"]) {
    await writeFile(join(at, name), "x");
    await utimes(join(at, name), old, old);
  }
  await writeFile(join(at, "2123456789abcdef.tar.gz"), "new");
  await guest.createTransfer({ fileName: "x" });
  assert.deepEqual((await readdir(at)).sort(), ["2123456789abcdef.tar.gz", "mine.txt"]);
});
