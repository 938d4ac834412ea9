import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import { MachineFolder } from "./machine-folder.ts";
import { sshCommand } from "./ssh-command.ts";

const folder = new MachineFolder("box", "/m");
const settings = {
  memory: 1024,
  cpus: 1,
  accelerator: "kvm",
  foundAt: "",
  ports: { daemon: 1, ssh: 1002, listener: 3 },
} as const;

test("the shell in the machine gets the arguments unchanged", () => {
  const word = fc.string({
    unit: fc.constantFrom("a", " ", "'", '"', "$", "\\", "\n", "*", ";"),
    maxLength: 6,
  });
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 4 }), (words) => {
      const line = sshCommand(folder, settings, {
        command: ["printf", "%s\\0", ...words],
        terminal: false,
      }).at(-1);
      const said = execFileSync("sh", ["-c", line as string], { encoding: "utf8" });
      assert.deepEqual(said.split("\0").slice(0, -1), words);
    }),
    { numRuns: 50 },
  );
});

test("ssh requests a terminal only where there is one, and accepts only the key of the machine", () => {
  const words = sshCommand(folder, settings, { command: [], terminal: true });
  assert.ok(words.includes("-t"));
  assert.ok(words.includes("StrictHostKeyChecking=yes") && words.includes("HostKeyAlias=tremplin-box"));
  assert.equal(words.at(-1), "root@127.0.0.1");
});
