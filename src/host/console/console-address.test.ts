import assert from "node:assert/strict";
import { test } from "node:test";
import { withCode } from "../../../test/support/with-code.ts";
import { consoleUrl, parseConsoleAddress } from "./console-address.ts";

test("a console is only served on the machine itself", () => {
  const urls = ["127.0.0.1:7780", "localhost:1", "[::1]:65535", "127.9.9.9:0"].map((text) => {
    const address = parseConsoleAddress(text);
    return address && consoleUrl(address);
  });
  assert.deepEqual(urls, [
    "http://127.0.0.1:7780/",
    "http://localhost:1/",
    "http://[::1]:65535/",
    "http://127.9.9.9:0/",
  ]);
  assert.equal(parseConsoleAddress("none"), undefined);
  for (const text of [
    "0.0.0.0:7780",
    "[::]:7780",
    "192.0.2.1:80",
    "example.org:80",
    "127.0.0.1.example.org:80",
  ]) {
    assert.throws(
      () => parseConsoleAddress(text),
      withCode("invalid", /other machines could read it.*ssh -L/),
    );
  }
  for (const text of [
    "",
    "7780",
    "127.0.0.1",
    "127.0.0.1:65536",
    "http://127.0.0.1:1/",
    "unix:/x",
    "127.0.0.1:1/x",
  ]) {
    assert.throws(
      () => parseConsoleAddress(text),
      withCode("invalid", /is no address for the console: write HOST:PORT/),
    );
  }
});
