import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkTimeZoneName } from "../../base/time-zones.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { checkPosixTimeZone } from "./time-zone.ts";

const invalid = { name: "TremplinError", code: "invalid" };

// From the footers of TZif files.
for (const good of [
  "UTC0",
  "CET-1CEST,M3.5.0,M10.5.0/3",
  "EST5EDT,M3.2.0,M11.1.0",
  "<-03>3",
  "<+0330>-3:30",
  "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
  "IST-1GMT0,M10.5.0,M3.5.0/1",
  "EET-2EEST,M3.4.4/50,M10.4.4/50",
  "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
  "IST-2IDT,M3.4.4/26,M10.5.0",
  "XXX-2<+01>-1,0/0,J365/23",
  "GMT0BST",
]) {
  test(`${good} is a POSIX time zone`, () => checkPosixTimeZone(good));
}

for (const bad of [
  "",
  "UTC",
  "CE-1",
  ":Europe/Berlin",
  "/etc/localtime",
  "CET-1CEST,M3.5.0",
  "CET-1CEST,M13.5.0,M10.5.0",
  "CET-1CEST,M3.6.0,M10.5.0",
  "CET-1CEST,M3.5.7,M10.5.0",
  "CET-1\nlxc.hook=x",
  "UTC0\n",
  "<UTC>0=",
  "<a b>0",
  "UTC0:60",
  `UTC0${"0".repeat(200)}`,
]) {
  test(`${JSON.stringify(bad.slice(0, 30))} is not a POSIX time zone`, () => {
    assert.throws(() => checkPosixTimeZone(bad), invalid);
  });
}

test("accepted values cannot escape a folder or contain a line feed", () => {
  const piece = fc.constantFrom(
    "UTC",
    "0",
    "/",
    "..",
    "-",
    "<",
    ">",
    ",",
    "M3.5.0",
    "\n",
    " ",
    "\0",
    "=",
    "Europe",
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(piece).map((all) => all.join("")),
  );
  fc.assert(
    fc.property(text, fc.constantFrom(checkTimeZoneName, checkPosixTimeZone), (zone, check) => {
      try {
        check(zone);
      } catch (error) {
        assert.ok(error instanceof TremplinError);
        return;
      }
      assert.match(zone, /^[A-Za-z<][A-Za-z0-9_+\-/<>,.:]*$/);
      assert.doesNotMatch(zone, /\.\.|\/\//);
    }),
  );
});
