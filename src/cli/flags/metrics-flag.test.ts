import assert from "node:assert/strict";
import { test } from "node:test";
import { RecordedIo } from "../../../test/support/command-line.ts";
import { exitCode } from "../exit-code.ts";
import { run } from "../program.ts";

test("daemon and host refuse metrics that other machines could read, before anything is started", async () => {
  for (const command of ["daemon", "host"]) {
    for (const address of [
      "tcp:0.0.0.0:9643",
      "tcp:[::]:9643",
      "tcp:192.168.1.1:9643",
      "vsock:any:9643",
      "9643",
    ]) {
      const io = new RecordedIo();
      assert.equal(await run([command, "--metrics", address], io), exitCode.usage, `${command} ${address}`);
      assert.match(io.stderr, /within this machine|is not an address/);
    }
  }
});
