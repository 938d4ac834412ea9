import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Role, roleIn, rolePattern, roleUri } from "./role.ts";

const name = fc.stringMatching(rolePattern);
const role: fc.Arbitrary<Role> = fc.oneof(
  fc.constant({ kind: "host" as const }),
  fc.record({ kind: fc.constantFrom("guest" as const, "client" as const), name }),
);
const otherName = fc.constantFrom(
  ...[
    "DNS:localhost",
    "IP Address:127.0.0.1",
    "email:a@b",
    "URI:https://example.org/",
    "othername:<unsupported>",
  ],
  'DNS:"a, URI:tremplin:host"',
  'URI:"https://x/, URI:tremplin:client/root"',
);

test("a role is found among other names, wherever it is", () => {
  fc.assert(
    fc.property(role, fc.array(otherName), fc.array(otherName), (wanted, before, after) => {
      const text = [...before, `URI:${roleUri(wanted)}`, ...after].join(", ");
      assert.deepEqual(roleIn(text), { ...wanted });
    }),
  );
});

test("two roles, unknown ones, and what only looks like one are none", () => {
  for (const text of [
    ...[
      "",
      "DNS:localhost",
      "URI:tremplin:",
      "URI:tremplin:root",
      "URI:tremplin:host/x",
      "URI:TREMPLIN:host",
    ],
    ...["URI:tremplin:guest", "URI:tremplin:guest/", "URI:tremplin:guest/../x", "URI:tremplin:guest/a/b"],
    ...["URI:tremplin:guest/a, URI:tremplin:host", "URI:tremplin:host, URI:tremplin:host"],
    ...["DNS:tremplin:host", "email:tremplin:host", 'URI:"tremplin:host"', "URI:tremplin:guest/a\nb"],
    ...[
      'DNS:"x, URI:tremplin:host',
      'DNS:x", URI:tremplin:host',
      "URI:xtremplin:host",
      `URI:${"x".repeat(70)}`,
    ],
    ...[`URI:tremplin:guest/${"x".repeat(64)}`, "URI:tremplin:guest/a, URI:tremplin:client/a"],
  ]) {
    assert.equal(roleIn(text), undefined, text);
  }
  assert.equal(roleIn(undefined), undefined);
});

test("any text is parsed without an error, and in linear time", () => {
  fc.assert(fc.property(fc.string(), (text) => void roleIn(text)));
  assert.equal(roleIn(`DNS:${'"\\'.repeat(50_000)}`), undefined);
});
