import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { CommandLineFixture } from "../../../test/support/command-line.ts";
import { withCode } from "../../../test/support/with-code.ts";
import { parseConsoleAddress } from "../../host/console/console-address.ts";
import { openBrowser } from "../background/open-browser.ts";

const address = parseConsoleAddress("127.0.0.1:0");

test("console prints a URL that signs in, and nothing else to standard output", async (t) => {
  const place = await CommandLineFixture.open(t);
  await place.reopenHost({ address, isOptional: false });
  const { code, stdout, stderr } = await place.output("console");
  assert.equal(code, 0);
  assert.match(stdout, /^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{43}\n$/);
  assert.match(stderr, /one browser .* ten minutes/);
  assert.equal((await fetch(stdout.trim())).status, 200);
  assert.equal((await fetch(stdout.trim())).status, 403);
  const { url, signInUrl, expiresAt } = JSON.parse((await place.output("console --json")).stdout);
  assert.ok(signInUrl.startsWith(`${url}?token=`));
  assert.ok(Date.parse(expiresAt) > Date.now());
});

test("console says why a host serves none", async (t) => {
  const place = await CommandLineFixture.open(t);
  const without = await place.output("console");
  assert.deepEqual([without.code, without.stdout], [1, ""]);
  assert.match(without.stderr, /without a console; start it with --console 127\.0\.0\.1:7780/);

  const taken = createServer().listen(0, "127.0.0.1");
  t.after(() => taken.close());
  await new Promise((resolve) => taken.once("listening", resolve));
  const { port } = taken.address() as { port: number };
  const occupied = parseConsoleAddress(`127.0.0.1:${port}`);
  await place.reopenHost({ address: occupied, isOptional: true });
  const { code, stderr } = await place.output("console");
  assert.equal(code, 1);
  assert.match(stderr, /cannot listen on .*: something listens there already; .*--console 127\.0\.0\.1:PORT/);
  await assert.rejects(
    place.reopenHost({ address: occupied, isOptional: false }),
    withCode("failed", /something listens there already/),
  );
});

test("a browser is only opened on a desktop", async () => {
  await assert.rejects(openBrowser("http://x/", {}), withCode("failed", /no desktop here: open the URL/));
  const environment = { DISPLAY: ":0", PATH: "/nonexistent" };
  await assert.rejects(
    openBrowser("http://x/", environment),
    withCode("failed", /cannot run xdg-open .*open the URL/),
  );
});
