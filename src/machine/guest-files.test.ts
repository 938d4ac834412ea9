import assert from "node:assert/strict";
import { test } from "node:test";
import { runProgram } from "../base/processes/run-program.ts";
import { guestFiles } from "./guest-files.ts";

/** What the service does in one round, when the clock of the hardware is ahead by some seconds. */
async function followClock(ahead: number): Promise<string> {
  const script =
    guestFiles["usr/local/lib/follow-clock"]?.replace(/\$\(<[^)]*since_epoch\)/, "$hardware_clock") ?? "";
  const stubs = `
    rounds=0
    sleep() { ((rounds++ < 1)); }
    date() { printf 'date %s\\n' "$*" >&3; }
    printf -v now '%(%s)T' -1
    hardware_clock=$((now + ${ahead}))
  `;
  return await runProgram("bash", ["-c", `exec 3>&1; ${stubs}\n${script}`]);
}

for (const ahead of [28_800, 4, -4, -3600]) {
  test(`a clock that is ${-ahead} s ahead of the hardware's is set`, async () => {
    assert.match(
      await followClock(ahead),
      /^the clock is set by -?\d+ s, to that of the host\ndate --set=@\d+\n$/,
    );
  });
}

test("clocks that agree are left alone", async () => {
  for (const ahead of [0, 1, -1]) assert.equal(await followClock(ahead), "");
});

test("the host's name servers are asked over IPv4, then over IPv6", () => {
  assert.deepEqual(guestFiles["etc/resolv.conf"]?.match(/^nameserver .*$/gm), [
    "nameserver 10.0.2.3",
    "nameserver fec0::3",
  ]);
});
