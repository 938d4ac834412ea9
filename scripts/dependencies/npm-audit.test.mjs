import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { NothingLookedAt } from "./nothing-looked-at.mjs";
import { advisoriesOf, auditByRegistry } from "./npm-audit.mjs";

const skip = spawnSync("npm", ["--version"]).status === 0 ? false : "npm is not installed";
const integrity = `sha512-${"a".repeat(86)}==`;
const root = { name: "app", version: "1.0.0", dependencies: { one: "1.0.0" } };
const lock = {
  lockfileVersion: 3,
  packages: { "": root, "node_modules/one": { version: "1.0.0", integrity } },
};
const advisory = { id: 1, url: "https://a/1", title: "bad", severity: "high", vulnerable_versions: "<9" };
const found = { name: "one", title: "bad", url: "https://a/1", severity: "high" };

/** What the project is told by a registry that answers questions about advisories like this. */
async function ask(t, answer) {
  const asked = [];
  const registry = createServer(async (request, response) => {
    const chunks = await Array.fromAsync(request);
    if (request.method !== "POST") return void response.writeHead(404).end("{}");
    asked.push(JSON.parse(gunzipSync(Buffer.concat(chunks))));
    const { status, body } = answer(asked.at(-1));
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  t.after(() => registry.close());
  registry.listen(0, "127.0.0.1");
  await once(registry, "listening");
  const address = `http://127.0.0.1:${registry.address().port}/`;
  // No cache, so that nothing is left behind.
  const env = { ...process.env, npm_config_registry: address, npm_config_cache: "/dev/null/none" };
  const outcome = await auditByRegistry(lock, env).catch((error) => error);
  return { outcome, asked, address };
}

test("a registry that knows advisories is believed", { skip }, async (t) => {
  const { outcome, asked } = await ask(t, () => ({
    status: 200,
    body: { minimist: [advisory], one: [advisory] },
  }));
  assert.deepEqual(outcome, [found]);
  assert.deepEqual(asked[0], { minimist: ["0.0.8"], one: ["1.0.0"] });
  assert.deepEqual((await ask(t, () => ({ status: 200, body: { minimist: [advisory] } }))).outcome, []);
});

for (const [what, status] of [
  ["an empty answer", 200],
  ["a refusal", 405],
]) {
  test(`${what} of a registry is not good news, and its address is not printed`, { skip }, async (t) => {
    const { outcome, address } = await ask(t, () => ({ status, body: {} }));
    assert.ok(outcome instanceof NothingLookedAt, String(outcome));
    assert.ok(!outcome.message.includes(new URL(address).host), outcome.message);
  });
}

test("output of npm that is no report is not good news", () => {
  for (const output of ["", "npm error", "{}", '{"error":{"code":"ENOLOCK","summary":"no lock"}}']) {
    assert.throws(() => advisoriesOf(output), NothingLookedAt, output);
  }
});

test("the project's own version of the package that is only a question is no question", () => {
  const via = [{ ...advisory, name: "minimist" }];
  const vulnerabilities = {
    minimist: {
      name: "minimist",
      via,
      nodes: ["node_modules/known-to-have-advisories", "node_modules/minimist"],
    },
    parent: { name: "parent", via: ["minimist"], nodes: ["node_modules/parent"] },
  };
  assert.deepEqual(advisoriesOf(JSON.stringify({ vulnerabilities })), [{ ...found, name: "minimist" }]);
});
