import assert from "node:assert/strict";
import { test } from "node:test";
import { inLinearTime } from "../../../../test/support/in-linear-time.ts";
import { maskSecrets } from "./mask-secrets.ts";

for (const [text, masked] of [
  [
    "GET /1.0/operations/1/websocket?secret=abc123&x=1",
    "GET /1.0/operations/1/websocket?secret=[masked]&x=1",
  ],
  ['msg="trust" core.trust_password="two words" n=1', 'msg="trust" core.trust_password=[masked] n=1'],
  ['{"token": "abc\\"def", "name": "web"}', '{"token": [masked], "name": "web"}'],
  ["Authorization: Bearer abc.def", "Authorization: [masked]"],
  ["client_private_key=xyz, level=info", "client_private_key=[masked], level=info"],
  ["a\n-----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY-----\nb", "a\n[masked]\nb"],
  ["a\n-----BEGIN CERTIFICATE-----\nMHc\ncut off", "a\n[masked]"],
  [`x\n${"MHcCAQEE".repeat(8)}\nlevel=info`, "x\n[masked]\nlevel=info"],
  ["lxc web ERROR start - no such token here", "lxc web ERROR start - no such token here"],
] as const) {
  test(`masked: ${JSON.stringify(text.slice(0, 50))}`, () => assert.equal(maskSecrets(text, []), masked));
}

test("given secrets are masked wherever they occur, also line by line", () => {
  const secrets = ["11111111-2222-3333\n", "first line of it\nsecond line of it\n", "short", ""];
  assert.equal(
    maskSecrets("a 11111111-2222-3333 b first line of it c second line of it short", secrets),
    "a [masked] b [masked] c [masked] short",
  );
});

test("masking a megabyte takes linear time for any content", () => {
  for (const piece of ["-----BEGIN A-----", 'token="', "secret", "a", "secret=secret=", "tokentoken-"]) {
    inLinearTime(() => maskSecrets(piece.repeat(1_000_000 / piece.length), []));
  }
});
