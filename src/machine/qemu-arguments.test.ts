import assert from "node:assert/strict";
import { test } from "node:test";
import { probeArguments } from "./accelerator.ts";
import { MachineFolder, type MachineSettings } from "./machine-folder.ts";
import { qemuArguments } from "./qemu-arguments.ts";

const settings = {
  memory: 1024,
  cpus: 3,
  accelerator: "tcg",
  foundAt: "",
  ports: { daemon: 1001, ssh: 1002, listener: 1003 },
} as const;
const folder = new MachineFolder("box", "/m,n");
const argumentsFor = (some: MachineSettings) => qemuArguments(folder, some, "mapped-xattr");

test("the machine is reachable only on the host's loopback interface", () => {
  const net = argumentsFor(settings).find((word) => word.startsWith("user,"));
  const forwards = ["hostfwd=tcp:127.0.0.1:1001-10.0.2.15:8890", "hostfwd=tcp:127.0.0.1:1002-10.0.2.15:22"];
  assert.equal(net, `user,id=net,${forwards.join(",")}`);
});

test("with vsock the daemon needs no port of the host", () => {
  const args = argumentsFor({ ...settings, cid: 77 });
  assert.ok(args.includes("vhost-vsock-pci,guest-cid=77"));
  assert.ok(args.includes("user,id=net,hostfwd=tcp:127.0.0.1:1002-10.0.2.15:22"));
});

test("QEMU gives up what it does not need, also while it probes", () => {
  for (const args of [argumentsFor(settings), probeArguments("/k")]) {
    const sandbox = args[args.indexOf("-sandbox") + 1];
    assert.equal(sandbox, "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
  }
});

test("no owner, mode, link or device that the machine makes is one on the host", () => {
  const shares = argumentsFor(settings).filter((word) => word.startsWith("local,"));
  assert.equal(shares.length, 2);
  for (const share of shares) assert.match(share, /,security_model=(mapped-xattr|none,readonly=on)$/);
});

test("disks discard blocks, and a comma in a path is escaped", () => {
  const drives = argumentsFor(settings).filter((word) => word.startsWith("file="));
  assert.equal(drives.length, 2);
  for (const drive of drives) assert.match(drive, /^file=\/m,,n\/box\/.*discard=unmap/);
});

test("the processor is that of the host, or one that is fast to emulate", () => {
  const after = (args: string[], flag: string) => args[args.indexOf(flag) + 1];
  assert.equal(after(argumentsFor({ ...settings, accelerator: "kvm" }), "-cpu"), "host");
  assert.match(after(argumentsFor(settings), "-accel") ?? "", /^tcg,/);
});

test("a name that cannot be a folder is rejected, and so is a path that is too long for sockets", () => {
  for (const name of ["", "..", "a/b", "-x", "a b"]) {
    assert.throws(() => new MachineFolder(name, "/m"), { code: "invalid" }, name);
  }
  assert.throws(() => new MachineFolder("box", `/${"x".repeat(100)}`), {
    code: "invalid",
    message: /shorter/,
  });
});
