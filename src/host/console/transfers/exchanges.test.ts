import assert from "node:assert/strict";
import { test } from "node:test";
import { type ConsoleFixture, consoleFixture } from "../../../../test/support/console-fixture.ts";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { BackupTransfer_Phase as Phase } from "../../../contract/tremplin/v1/host_pb.js";
import { Transfer } from "./transfer.ts";

const { signal } = new AbortController();

/** A URL, and whoever asks for it. */
async function open(at: ConsoleFixture, method: "GET" | "PUT", clock = new ManualClock()) {
  const transfer = new Transfer();
  const exchange = at.exchanges.open(method, transfer, Phase.SAVING);
  exchange.catch(() => undefined);
  const { value } = await transfer.follow(new Promise(() => undefined), clock, signal).next();
  return { exchange, transfer, urlPath: value?.urlPath ?? "" };
}

test("the URL of a file opens once, for a browser that is signed in", async (t) => {
  const at = await consoleFixture(t);
  const cookie = (await at.signIn()).cookie;
  const { exchange, urlPath } = await open(at, "GET");
  for (const headers of [
    {},
    { cookie: "tremplin-console-0=wrong" },
    { cookie, origin: "http://127.0.0.1:1" },
  ]) {
    const { status, body } = await at.ask(urlPath, { headers });
    assert.equal(status, 403);
    assert.match(body.toString(), /Begin again in the console|another page has/);
  }
  const answering = at.ask(urlPath, { headers: { cookie } });
  (await exchange).response.end("the file");
  const { body, headers } = await answering;
  assert.equal(body.toString(), "the file");
  assert.equal(headers["x-content-type-options"], "nosniff");
  assert.equal((await at.ask(urlPath, { headers: { cookie } })).status, 403);
});

test("nothing is sent to a URL for saving, nor by another page", async (t) => {
  const at = await consoleFixture(t);
  const { cookie } = await at.signIn();
  const origin = new URL(at.console.url as string).origin;
  const saving = await open(at, "GET");
  const put = { method: "PUT", body: "x", headers: { cookie, origin } };
  assert.equal((await at.ask(saving.urlPath, put)).status, 403);
  const sending = await open(at, "PUT");
  const foreign = { ...put, headers: { cookie, origin: "http://127.0.0.1:1" } };
  assert.equal((await at.ask(sending.urlPath, foreign)).status, 403);
  const answering = at.ask(sending.urlPath, put);
  (await sending.exchange).response.end("received");
  assert.equal((await answering).body.toString(), "received");
  for (const path of [
    "/transfers/",
    "/transfers/../transfers/x",
    `/transfers/${"a".repeat(43)}`,
    "/transfers/%00",
  ]) {
    assert.equal((await at.ask(path, { headers: { cookie } })).status, 403);
  }
});

test("a URL ends after a minute, and with its transfer", async (t) => {
  const clock = new ManualClock();
  const at = await consoleFixture(t, { clock });
  const { cookie } = await at.signIn();
  const late = await open(at, "GET", clock);
  clock.advance(60_000);
  await assert.rejects(late.exchange, /the browser did not begin within a minute/);
  const ended = await open(at, "GET", clock);
  ended.transfer.cancel("it was cancelled");
  await assert.rejects(ended.exchange, /it was cancelled/);
  for (const { urlPath } of [late, ended]) {
    assert.equal((await at.ask(urlPath, { headers: { cookie } })).status, 403);
  }
});
