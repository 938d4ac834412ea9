import assert from "node:assert/strict";
import { test } from "node:test";
import { readOriginalCommandLine } from "./original-command-line.ts";

const CROSTINI =
  "daemon --site crostini --listen vsock:any:8890 --host vsock:host:7778 --state /mnt/stateful --shared /mnt/shared --log syslog";

function read(line: string): string {
  return readOriginalCommandLine(line.split(" ")).join(" ");
}

for (const line of [
  "-lxd_subnet 100.115.92.193/28",
  "--lxd_subnet 100.115.92.193/28",
  "-lxd_subnet=100.115.92.193/28",
  "--lxd_subnet=100.115.92.193/28",
]) {
  test(`"${line}" is the daemon of the crostini site`, () => {
    assert.equal(read(line), `${CROSTINI} --lxd-subnet 100.115.92.193/28`);
  });
}

test("-feature is accepted in each form, before and after -lxd_subnet", () => {
  assert.equal(
    read("-feature START_LXD --feature=RESET -lxd_subnet=10.0.0.1/24 -feature X"),
    `${CROSTINI} --feature START_LXD --feature RESET --lxd-subnet 10.0.0.1/24 --feature X`,
  );
});

test("unknown flags are passed on", () => {
  assert.equal(read("-lxd_subnet 10.0.0.1/24 -verbose"), `${CROSTINI} --lxd-subnet 10.0.0.1/24 -verbose`);
  assert.equal(read("-lxd_subnet"), `${CROSTINI} --lxd-subnet`);
});

test("without a subnet it does not start", () => {
  assert.throws(() => read("-feature X"), /the address of the bridge is missing.*-lxd_subnet/);
});

test("our own command line is not changed", () => {
  assert.equal(read("daemon --lxd-subnet 10.0.0.1/24"), "daemon --lxd-subnet 10.0.0.1/24");
  assert.equal(read("list -feature"), "list -feature");
  assert.deepEqual(readOriginalCommandLine([]), []);
});

test("-feature is accepted after daemon too", () => {
  assert.equal(read("daemon -feature X --feature=Y --bridge b"), "daemon --feature X --feature Y --bridge b");
});
