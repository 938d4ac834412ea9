import assert from "node:assert/strict";
import { buffer } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { Code } from "@connectrpc/connect";
import { eventually } from "../../../../test/support/eventually.ts";
import { hasCode, hostFixture } from "../../../../test/support/host-fixture.ts";
import { type TransferFixture, transferFixture, until } from "../../../../test/support/transfer-fixture.ts";
import {
  type BackupTransfer,
  Host,
  BackupTransfer_Phase as Phase,
} from "../../../contract/tremplin/v1/host_pb.js";

const request = { guest: "vm", containerName: "web", fileName: "web.tar.gz" };
const content = Buffer.concat([Buffer.from("BZh"), Buffer.alloc(300_000, "x")]);
const upload = { ...request, totalBytes: BigInt(content.length) };

const iterate = (states: AsyncIterable<BackupTransfer>) => states[Symbol.asyncIterator]();

async function fixture(t: TestContext): Promise<TransferFixture> {
  const at = await transferFixture(t);
  at.guest.containers.set("web", "running");
  return at;
}

/** What is left, once all work has ended. */
async function assertNothingKept(at: TransferFixture): Promise<void> {
  await eventually("nothing is kept", async () => (await at.kept()).length === 0 || undefined);
}

test("a backup is packed, saved once under a safe name, and then removed", async (t) => {
  const at = await fixture(t);
  const states = iterate(at.host.downloadBackup({ ...request, fileName: '../"web\r\nx: y".tar.zst' }));
  assert.notEqual((await until(states, Phase.PACKING)).id, "");
  const { urlPath, id } = await until(states, Phase.SAVING);
  assert.match(urlPath, /^\/transfers\/[\w-]{43}$/);
  for (const method of ["HEAD", "POST"]) {
    const { request: asked, response } = at.ask(urlPath, method);
    asked.end();
    assert.equal((await response).statusCode, 403);
  }
  const { request: asked, response } = at.ask(urlPath);
  asked.end();
  const answer = await response;
  assert.equal((await buffer(answer)).toString(), "a backup of web");
  assert.equal(answer.headers["content-disposition"], 'attachment; filename="web_x_y.tar.zst"');
  assert.equal(answer.headers["content-length"], "15");
  assert.equal(answer.headers["content-type"], "application/octet-stream");
  await until(states, Phase.DONE);
  assert.equal((await states.next()).done, true);
  const again = at.ask(urlPath);
  again.request.end();
  assert.equal((await again.response).statusCode, 403);
  assert.deepEqual(await at.host.cancelBackupTransfer({ id }).then(({ cancelled }) => cancelled), false);
  await assertNothingKept(at);
});

test("a download that fails, or is cancelled while it is packed, leaves nothing", async (t) => {
  const at = await fixture(t);
  at.guest.fault = "the disk is full";
  await assert.rejects(
    Array.fromAsync(at.host.downloadBackup(request)),
    /exporting failed: the disk is full/,
  );
  at.guest.fault = "";
  await assert.rejects(
    Array.fromAsync(at.host.downloadBackup({ ...request, containerName: "gone" })),
    /there is no container gone/,
  );
  await assert.rejects(Array.fromAsync(at.host.downloadBackup({ ...request, guest: "x" })), /no guest x/);
  at.guest.gate = new Promise(() => undefined);
  const states = iterate(at.host.downloadBackup(request));
  const { id } = await until(states, Phase.PACKING);
  while ((await states.next()).value?.operation === "");
  assert.equal((await at.host.cancelBackupTransfer({ id })).cancelled, true);
  await assert.rejects(
    async () => {
      while (!(await states.next()).done);
    },
    hasCode(Code.Canceled, /it was cancelled, and nothing of it was kept/),
  );
  assert.ok(at.guest.asked.includes("cancel"));
  await assertNothingKept(at);
});

test("a page that is closed ends its download before the browser saves it, not afterwards", async (t) => {
  const at = await fixture(t);
  at.guest.backupBytes = 16 * 1024 * 1024;
  const first = new AbortController();
  const states = iterate(at.host.downloadBackup(request, { signal: first.signal }));
  const { urlPath } = await until(states, Phase.SAVING);
  first.abort();
  await assertNothingKept(at);
  const late = at.ask(urlPath);
  late.request.end();
  assert.equal((await late.response).statusCode, 403);

  const second = new AbortController();
  const others = iterate(at.host.downloadBackup(request, { signal: second.signal }));
  const other = at.ask((await until(others, Phase.SAVING)).urlPath);
  other.request.end();
  const answer = await other.response;
  second.abort();
  assert.equal((await buffer(answer)).length, at.guest.backupBytes);
  await assertNothingKept(at);
});

test("a download that the browser ends, or the person cancels, breaks off there and is a sentence here", async (t) => {
  const at = await fixture(t);
  at.guest.backupBytes = 16 * 1024 * 1024;
  const ended = iterate(at.host.downloadBackup(request));
  const one = at.ask((await until(ended, Phase.SAVING)).urlPath);
  one.request.end();
  (await one.response).destroy();
  await assert.rejects(
    async () => {
      while (!(await ended.next()).done);
    },
    hasCode(Code.Canceled, /the browser ended the download after .* of 16 MiB, and the backup was removed/),
  );

  const cancelled = iterate(at.host.downloadBackup(request));
  const { urlPath, id } = await until(cancelled, Phase.SAVING);
  const other = at.ask(urlPath);
  other.request.end();
  const answer = await other.response;
  await at.host.cancelBackupTransfer({ id });
  await assert.rejects(buffer(answer), /aborted/);
  await assertNothingKept(at);
});

test("a guest cannot send a browser more than it announced", async (t) => {
  const at = await fixture(t);
  const data = Buffer.from("12345");
  const answers = [
    [{ data: Buffer.from("12345HTTP/1.1 200 OK"), totalBytes: 5n }],
    [
      { data, totalBytes: 10n },
      { data, totalBytes: 1000n },
      { data: Buffer.from("HTTP/1.1 200 OK"), totalBytes: 1000n },
    ],
    [
      { data, totalBytes: 6n },
      { data, totalBytes: 6n },
    ],
  ];
  for (const chunks of answers) {
    at.guest.transferChunks = chunks;
    const states = iterate(at.host.downloadBackup(request));
    const bytes = at.raw((await until(states, Phase.SAVING)).urlPath);
    await assert.rejects(async () => {
      while (!(await states.next()).done);
    }, /the backup changed in the guest while it was sent/);
    const [head = "", body = ""] = (await bytes).split("\r\n\r\n");
    assert.ok(body.length <= Number(/content-length: (\d+)/i.exec(head)?.[1]), body);
  }
  await assertNothingKept(at);
});

test("a file is received, becomes a container, and is removed", async (t) => {
  const at = await fixture(t);
  const states = iterate(at.host.uploadBackup({ ...upload, containerName: "fresh" }));
  const { urlPath } = await until(states, Phase.SENDING);
  const { request: asked, response } = at.ask(urlPath, "PUT");
  asked.end(content);
  assert.equal((await response).statusCode, 204);
  assert.notEqual((await until(states, Phase.IMPORTING)).phase, Phase.DONE);
  await until(states, Phase.DONE);
  assert.ok(at.guest.asked.at(-1) === `read ${content}`);
  assert.equal(at.guest.containers.get("fresh"), "stopped");
  await assertNothingKept(at);
});

test("an upload that cannot become a container is a sentence, and leaves nothing", async (t) => {
  const at = await fixture(t);
  const refused: [change: object, code: Code, reason: RegExp][] = [
    [{}, Code.AlreadyExists, /there is a container web already/],
    [{ containerName: "-x" }, Code.InvalidArgument, /is not a container name/],
    [{ containerName: "fresh", totalBytes: 0n }, Code.InvalidArgument, /the file is empty/],
  ];
  for (const [change, code, reason] of refused) {
    const states = Array.fromAsync(at.host.uploadBackup({ ...upload, ...change }));
    await assert.rejects(states, hasCode(code, reason));
  }
  const bodies: [body: Buffer, totalBytes: bigint, reason: RegExp][] = [
    [Buffer.alloc(2_000_000, "text "), 2_000_000n, /the file is not a backup/],
    [content, 2n ** 60n, /only .* are free in/],
    [content, upload.totalBytes + 1n, /the file has another size than the browser said/],
    [content, upload.totalBytes - 1n, /the file has another size than the browser said/],
  ];
  for (const [body, totalBytes, reason] of bodies) {
    const states = iterate(at.host.uploadBackup({ ...upload, containerName: "fresh", totalBytes }));
    const { request: asked, response } = at.ask((await until(states, Phase.SENDING)).urlPath, "PUT");
    asked.end(body);
    const answer = await response;
    assert.equal(answer.statusCode, 400);
    assert.match((await buffer(answer)).toString(), reason);
    await assert.rejects(async () => {
      while (!(await states.next()).done);
    }, reason);
  }
  assert.deepEqual(at.guest.asked, []);
  await assertNothingKept(at);
});

test("an upload that breaks off, is cancelled, or loses its page leaves nothing", async (t) => {
  const at = await fixture(t);
  const page = new AbortController();
  const ends: [end: (id: string, asked: { destroy(): unknown }) => unknown, reason: RegExp][] = [
    [(_id, asked) => asked.destroy(), /the upload broke off after .* of 293 KiB, and nothing of it was kept/],
    [(id) => at.host.cancelBackupTransfer({ id }), /it was cancelled/],
    [() => page.abort(), /abort/],
  ];
  for (const [end, reason] of ends) {
    const states = iterate(
      at.host.uploadBackup({ ...upload, containerName: "fresh" }, { signal: page.signal }),
    );
    const { id, urlPath } = await until(states, Phase.SENDING);
    const { request: asked } = at.ask(urlPath, "PUT");
    asked.write(content.subarray(0, 100_000));
    await eventually("it arrives", async () => (await at.kept()).length === 1 || undefined);
    await end(id, asked);
    await assert.rejects(async () => {
      while (!(await states.next()).done);
    }, reason);
    await assertNothingKept(at);
  }
  assert.deepEqual(at.guest.asked, []);
});

test("an import goes on without its page, and its file is removed when it has ended", async (t) => {
  const at = await fixture(t);
  const gate = Promise.withResolvers<void>();
  at.guest.gate = gate.promise;
  const page = new AbortController();
  const states = iterate(at.host.uploadBackup({ ...upload, replace: true }, { signal: page.signal }));
  const { request: asked } = at.ask((await until(states, Phase.SENDING)).urlPath, "PUT");
  asked.end(content);
  await until(states, Phase.IMPORTING);
  page.abort();
  assert.equal((await at.kept()).length, 1);
  gate.resolve();
  await assertNothingKept(at);
  assert.ok(at.guest.asked.at(-1) === `read ${content}`);
});

test("callers that are no page of the console are refused, with what they can use", async (t) => {
  const at = await hostFixture(t);
  await at.guest("vm");
  await at.host("vm");
  const api = at.api(Host);
  const isRefused = hasCode(Code.FailedPrecondition, /other programs use ExportContainer and ReadTransfer/);
  await assert.rejects(Array.fromAsync(api.downloadBackup(request)), isRefused);
  await assert.rejects(Array.fromAsync(api.uploadBackup(upload)), isRefused);
  await assert.rejects(api.cancelBackupTransfer({ id: "x" }), isRefused);
});
