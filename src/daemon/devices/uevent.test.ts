import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseUevent } from "./uevent.ts";

test("a kernel message is parsed without its malformed items", () => {
  const text = "add@/devices/x/usb1/1-1\0ACTION=add\0DEVNAME=bus/usb/001/002\0=none\0noise\0EMPTY=\0A=b=c\0";
  assert.deepEqual(parseUevent(Buffer.from(text)), {
    action: "add",
    path: "/devices/x/usb1/1-1",
    values: { ACTION: "add", DEVNAME: "bus/usb/001/002", EMPTY: "", A: "b=c" },
  });
  for (const none of ["", "libudev\0\xfe", "@/devices/x"])
    assert.equal(parseUevent(Buffer.from(none)), undefined);
});

test("no input makes the parser throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const read = parseUevent(Buffer.from(bytes));
      assert.ok(read === undefined || read.action.length > 0);
    }),
  );
});

test("messages round-trip", () => {
  const word = fc.stringMatching(/^[A-Z_]{1,10}$/);
  const value = fc.stringMatching(/^[ -~]{0,20}$/);
  fc.assert(
    fc.property(fc.dictionary(word, value), (values) => {
      const items = Object.entries(values).map(([key, each]) => `${key}=${each}\0`);
      const message = Buffer.from(`remove@/devices/y\0${items.join("")}`);
      assert.deepEqual(parseUevent(message)?.values, { ...values });
    }),
  );
});
