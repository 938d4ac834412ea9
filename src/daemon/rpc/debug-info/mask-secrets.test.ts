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
  ["Authorization: Basic YW5uYTpwdw==", "Authorization: [masked]"],
  ['-H "Proxy-Authorization: Digest username=x, response=y" url', '-H "Proxy-Authorization: [masked]" url'],
  ["Cookie: sid=1; theme=dark\nHost: a", "Cookie: [masked]\nHost: a"],
  ["map[Set-Cookie:[sid=1; Path=/] Host:[a]]", "map[Set-Cookie:[[masked]] Host:[a]]"],
  ["passwd=hunter2 pwd=hunter2 n=1", "passwd=[masked] pwd=[masked] n=1"],
  ["api_key=abc apikey: abc x-api-key=abc", "api_key=[masked] apikey: [masked] x-api-key=[masked]"],
  ["export AWS_SECRET_ACCESS_KEY=abc/def", "export AWS_SECRET_ACCESS_KEY=[masked]"],
  ["DATABASE_KEY='a b' GITHUB_PAT=abc", "DATABASE_KEY=[masked] GITHUB_PAT=[masked]"],
  ["SECRET_V2=abc client-secret => abc", "SECRET_V2=[masked] client-secret => [masked]"],
  ["exec mysql --password hunter2 --host db", "exec mysql --password [masked] --host db"],
  ['["login", "--auth-token", "abc def", "--verbose"]', '["login", "--auth-token", [masked], "--verbose"]'],
  ["login --password --host db", "login --password --host db"],
  ["curl -u anna:hunter2 http://a/", "curl -u [masked] http://a/"],
  ["https://anna:hunter2@a.example/p", "https://[masked]@a.example/p"],
  ["https://anna:h@nter2@a.example/p", "https://[masked]@a.example/p"],
  ["http://a.example/p@q?key=abc&n=1", "http://a.example/p@q?key=[masked]&n=1"],
  ["pushed with ghp_0123456789abcdefABCD done", "pushed with [masked] done"],
  ["jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln end", "jwt [masked] end"],
  ["anna:$6$salt$hashhash/hash.hash:19000:0", "anna:[masked]:19000:0"],
  ["password: |\n  two\n  lines\nname: web", "password: [masked]\nname: web"],
  ["keyboard: us, monkey=1, patch=2, tokyo: 3", "keyboard: us, monkey=1, patch=2, tokyo: 3"],
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
  for (const piece of [
    "-----BEGIN A-----",
    'token="',
    "secret",
    "a",
    "secret=secret=",
    "tokentoken-",
    "--",
    "--a",
    "://",
    "eyJ",
    "eyJaaaaaaaa.",
    "$6$",
    "password: |\n ",
    "cookie:",
    "-u a",
    "_key",
  ]) {
    inLinearTime(() => maskSecrets(piece.repeat(1_000_000 / piece.length), []));
  }
});
