import assert from "node:assert/strict";
import { test } from "node:test";
import { withoutPassword } from "./apt-credentials.ts";

/** The URI and the first line for apt, as text. */
function taken(uri: string) {
  const request = withoutPassword(uri);
  const [line] = Buffer.from(request?.netrc ?? [])
    .toString("latin1")
    .split("\n");
  return request && [request.uri, line];
}

for (const [uri, plain, line] of [
  ["http://h/d", "http://h/d", ""],
  ["file:/srv/debian", "file:/srv/debian", ""],
  ["http://@h/d", "http://h/d", ""],
  ["http://me:s3cret@h/d", "http://h/d", "machine http://h/d login me password s3cret"],
  ["HTTPS://me:a:b@H:8/d", "https://H:8/d", "machine https://H:8/d login me password a:b"],
  ["tor+http://token@h/d", "tor+http://h/d", "machine tor+http://h/d login token"],
  ["http://:pw@h/d", "http://h/d", "machine http://h/d password pw"],
  ["http://a@b:%40%zz%25@h/d", "http://h/d", "machine http://h/d login a@b password @%zz%"],
] as const) {
  test(`${uri} becomes ${plain}`, () => assert.deepEqual(taken(uri), [plain, line]));
}

test("a password that apt reads from no file is not used at all", () => {
  for (const uri of ["http://me:a%20b@h/d", "http://me:a%0amachine@h/d", "s3://key:secret@h/d"]) {
    assert.equal(taken(uri), undefined);
  }
});
