import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { type ConsoleFixture, consoleFixture, pageKeyIn } from "../../../test/support/console-fixture.ts";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { PAGE_KEY } from "../../base/page-key.ts";
import { Host } from "../../contract/tremplin/v1/host_pb.js";

const METHOD = "/tremplin.v1.Host/ListGuests";
const json = { "content-type": "application/json" };

const routes = (
  router: Parameters<NonNullable<Parameters<typeof consoleFixture>[1]>["routes"] & object>[0],
) => void router.service(Host, { listGuests: () => ({ guests: [{ name: "vm" }] }) });

const originOf = ({ console }: ConsoleFixture): string => new URL(console.url as string).origin;

/** Calls ListGuests. */
async function call(at: ConsoleFixture, headers: Record<string, string>) {
  const answer = await at.ask(METHOD, { method: "POST", headers: { ...json, ...headers }, body: "{}" });
  return {
    ...answer,
    document: JSON.parse(answer.body.toString()) as { guests?: unknown; message?: string },
  };
}

test("a token signs one browser in, once", async (t) => {
  const at = await consoleFixture(t, { routes });
  const { signInUrl } = at.console.createSignIn();
  const { search } = new URL(signInUrl);
  assert.equal((await at.ask(`/${search}`, { method: "HEAD" })).headers["set-cookie"], undefined);
  const first = await at.ask(`/${search}`);
  assert.equal(first.status, 200);
  const [cookie = ""] = first.headers["set-cookie"] ?? [];
  assert.match(
    cookie,
    /^tremplin-console-\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=2592000$/,
  );
  const second = await at.ask(`/${search}`);
  assert.equal(second.status, 403);
  assert.equal(second.headers["set-cookie"], undefined);
  assert.match(second.body.toString(), /has been used, or has expired.*tremplin console/s);
  assert.equal(pageKeyIn(second.body), "");
  // Whoever is signed in may go back to the URL.
  const again = await at.ask(`/${search}`, { headers: { cookie: cookie.split(";")[0] as string } });
  assert.deepEqual([again.status, again.headers["set-cookie"], pageKeyIn(again.body)], [200, undefined, ""]);
});

test("a token that is wrong or older than ten minutes gets a sentence", async (t) => {
  const clock = new ManualClock();
  const at = await consoleFixture(t, { clock });
  const { search } = new URL(at.console.createSignIn().signInUrl);
  clock.advance(10 * 60_000);
  for (const query of [search, "?token=", "?token=%00", `?token=${"a".repeat(5_000)}`]) {
    const { status, body, headers } = await at.ask(`/${query}`);
    assert.equal(status, 403);
    assert.equal(headers["set-cookie"], undefined);
    assert.match(body.toString(), /tremplin console/);
  }
});

test("another token signs a browser in again, and ends what it was before", async (t) => {
  const at = await consoleFixture(t, { routes });
  const before = await at.signIn();
  const { search } = new URL(at.console.createSignIn().signInUrl);
  const { headers, body } = await at.ask(`/${search}`, { headers: { cookie: before.cookie } });
  const cookie = headers["set-cookie"]?.[0]?.split(";")[0] as string;
  assert.notEqual(cookie, before.cookie);
  const origin = originOf(at);
  assert.equal((await call(at, { cookie, [PAGE_KEY]: pageKeyIn(body), origin })).status, 200);
  assert.equal((await call(at, { ...before, origin })).status, 401);
});

test("the cookie alone, or with the key of another session, opens nothing", async (t) => {
  const at = await consoleFixture(t, { routes });
  const [session, other] = [await at.signIn(), await at.signIn()];
  const origin = originOf(at);
  const keys = ["", "wrong", "a".repeat(43), other[PAGE_KEY], `${session[PAGE_KEY]},`];
  for (const headers of [{}, ...keys.map((key) => ({ [PAGE_KEY]: key }))]) {
    const sent = { cookie: session.cookie, origin, "sec-fetch-site": "same-origin", ...headers };
    const { status, document } = await call(at, sent);
    assert.equal(status, 401);
    assert.match(document.message ?? "", /not signed in.*tremplin console/s);
    const ticket = await at.ask("/tickets", { method: "POST", headers: sent });
    assert.deepEqual([ticket.status, /"ticket"/.test(`${ticket.body}`)], [401, false]);
    await at.ask("/sign-out", { method: "POST", headers: sent });
    const page = await at.ask("/", { headers: sent });
    assert.ok(!Object.values(session).some((secret) => `${page.body}`.includes(secret)));
  }
  assert.equal((await call(at, { [PAGE_KEY]: session[PAGE_KEY], origin })).status, 401);
  assert.equal((await call(at, { ...session, origin })).status, 200);
});

test("a session that has only a cookie, as an earlier version wrote it, opens nothing", async (t) => {
  const at = await consoleFixture(t, { routes });
  const session = await at.signIn();
  await at.restart(async (state) => {
    const path = join(state, "console-sessions.json");
    const kept = JSON.parse(await readFile(path, "utf8")) as object[];
    await writeFile(path, JSON.stringify(kept.map((each) => ({ ...each, key: undefined }))));
  });
  assert.equal((await call(at, { ...session, origin: originOf(at) })).status, 401);
});

test("signing out cuts off the streams of all tabs, also of a browser that does not wait for the answer", async (t) => {
  for (const waits of [true, false]) {
    const begun = Promise.withResolvers<void>();
    const at = await consoleFixture(t, {
      routes: (router) =>
        void router.service(Host, {
          async *watch(_request, { signal }) {
            begun.resolve();
            await once(signal, "abort");
          },
        }),
    });
    const session = { ...(await at.signIn()), origin: originOf(at) };
    const asked = at.ask("/tremplin.v1.Host/Watch", {
      method: "POST",
      headers: { ...session, "content-type": "application/connect+json" },
      body: `\0\0\0\0\x02{}`,
    });
    const cutOff = assert.rejects(asked);
    await begun.promise;
    if (waits) await at.ask("/sign-out", { method: "POST", headers: session });
    else await signOutAndGo(session);
    await cutOff;
  }
});

async function signOutAndGo({ origin = "", ...headers }: Record<string, string>): Promise<void> {
  const { host, hostname, port } = new URL(origin);
  const lines = Object.entries({ host, origin, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  const socket = connect(Number(port), hostname);
  socket.end(`POST /sign-out HTTP/1.1\r\n${lines.join("")}\r\n`);
  await once(socket.resume(), "close");
}

test("without the cookie there is neither a page nor an answer to a call", async (t) => {
  const at = await consoleFixture(t, { routes });
  for (const cookie of ["", "tremplin-console-0=", "tremplin-console-0=wrong; x", "a=b"]) {
    const page = await at.ask("/", { headers: { cookie } });
    assert.equal(page.status, 401);
    assert.match(page.body.toString(), /not signed in.*tremplin console/s);
    const { status, document } = await call(at, { cookie, origin: originOf(at) });
    assert.equal(status, 401);
    assert.match(document.message ?? "", /not signed in.*tremplin console/s);
  }
});

test("a browser that is signed in gets the page and its calls answered, also after the host was started again", async (t) => {
  const at = await consoleFixture(t, { routes });
  const session = await at.signIn();
  await at.restart();
  const page = await at.ask("/", { headers: session });
  assert.deepEqual([page.status, page.body.toString()], [200, "<title>Console</title>"]);
  const { status, document } = await call(at, { ...session, origin: originOf(at) });
  assert.equal(status, 200);
  assert.deepEqual(document.guests, [{ name: "vm" }]);
});

test("after signing out, and after thirty days, a browser has to sign in again", async (t) => {
  const clock = new ManualClock();
  const at = await consoleFixture(t, { clock });
  const [session, other] = [await at.signIn(), await at.signIn()];
  const origin = originOf(at);
  const out = await at.ask("/sign-out", { method: "POST", headers: { ...session, origin } });
  assert.equal(out.status, 204);
  assert.match(out.headers["set-cookie"]?.[0] ?? "", /Max-Age=0/);
  assert.equal((await at.ask("/", { headers: session })).status, 401);
  assert.equal((await at.ask("/", { headers: other })).status, 200);
  clock.jump(30 * 24 * 3_600_000);
  assert.equal((await at.ask("/", { headers: other })).status, 401);
});

test("other pages and other names of this machine are refused", async (t) => {
  const at = await consoleFixture(t, { routes });
  const session = await at.signIn();
  const own = originOf(at);
  const { host } = new URL(own);
  const refused: [headers: Record<string, string>, status: number][] = [
    [{}, 403],
    [{ origin: "https://example.org" }, 403],
    [{ origin: "null" }, 403],
    [{ origin: "http://127.0.0.1:1" }, 403],
    [{ origin: own.replace("127.0.0.1", "localhost") }, 403],
    [{ origin: own.replace("http:", "https:") }, 403],
    [{ origin: own, "sec-fetch-site": "same-site" }, 403],
    [{ origin: own, "sec-fetch-site": "cross-site" }, 403],
    [{ origin: "http://evil.example:7780", host: "evil.example:7780" }, 421],
    [{ origin: "http://192.0.2.1", host: "192.0.2.1" }, 421],
    [{ origin: own, host: "127.0.0.1.evil.example:80" }, 421],
  ];
  for (const [headers, status] of refused) {
    const answer = await call(at, { ...session, ...headers });
    assert.equal(answer.status, status, JSON.stringify(headers));
    assert.match(answer.document.message ?? "", /[a-z]{3}.*\.$/);
    if (status === 421)
      assert.equal((await at.ask("/", { headers: { ...session, ...headers } })).status, 421);
  }
  for (const name of [host, "localhost:7780", "[::1]:7780", "localhost"]) {
    const answer = await call(at, {
      ...session,
      host: name,
      origin: `http://${name}`,
      "sec-fetch-site": "same-origin",
    });
    assert.equal(answer.status, 200, name);
  }
});

test("every answer forbids scripts of others, frames and guesses of its type", async (t) => {
  const at = await consoleFixture(t, { routes });
  const { cookie } = await at.signIn();
  for (const path of ["/", "/nothing", "/assets/x-1.js", METHOD, "/?token=x"]) {
    for (const sent of [{}, { cookie }] as Record<string, string>[]) {
      const { headers } = await at.ask(path, { headers: sent });
      const policy = `${headers["content-security-policy"]}`;
      assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
      assert.match(policy, /frame-ancestors 'none'/);
      assert.doesNotMatch(policy, /unsafe|\*|https?:/);
      assert.equal(headers["x-content-type-options"], "nosniff");
      assert.equal(headers["referrer-policy"], "no-referrer");
      assert.equal(headers["access-control-allow-origin"], undefined);
    }
  }
});

test("a path leads to the files of the console and to nothing else", async (t) => {
  const at = await consoleFixture(t);
  const { cookie } = await at.signIn();
  const climbing = [
    "/../../etc/passwd",
    "/assets/../../state/console-sessions.json",
    "/assets/%2e%2e/index.html",
  ];
  for (const path of [
    ...climbing,
    "//etc/passwd",
    "/index.html",
    "/assets",
    "/assets/x-1.js.gz",
    "/%00",
    "/a\\b",
  ]) {
    const { status, body } = await at.ask(path, { headers: { cookie } });
    assert.equal(status, 404, path);
    assert.match(body.toString(), /no such page/);
  }
  assert.equal((await at.ask("/", { method: "PUT", headers: { origin: originOf(at) } })).status, 405);
});

test("files come compressed, and are kept by the browser for good; the page itself is not", async (t) => {
  const at = await consoleFixture(t);
  const { cookie } = await at.signIn();
  const ask = (path: string, encoding: string) =>
    at.ask(path, { headers: { cookie, "accept-encoding": encoding } });
  const br = await ask("/assets/x-1.js", "gzip, deflate, br");
  assert.deepEqual([br.headers["content-encoding"], `${brotliDecompressSync(br.body)}`], ["br", "1;"]);
  const gzip = await ask("/assets/x-1.js", "gzip, br;q=0");
  assert.deepEqual([gzip.headers["content-encoding"], `${gunzipSync(gzip.body)}`], ["gzip", "1;"]);
  const plain = await ask("/assets/x-1.js", "");
  assert.deepEqual([plain.headers["content-encoding"], `${plain.body}`], [undefined, "1;"]);
  assert.match(`${plain.headers["cache-control"]}`, /immutable/);
  assert.equal((await ask("/", "")).headers["cache-control"], "no-cache");
});
