import assert from "node:assert/strict";
import { test } from "node:test";
import { Command } from "commander";
import { hostOptions } from "../commands/host.ts";
import { type DaemonFlags, daemonOptions, withDaemonFlags } from "../flags/daemon-flags.ts";
import { daemonArguments, hostArguments } from "./launch.ts";
import { RunFolder } from "./run-folder.ts";

const flags = { state: "state", site: "generic", bridge: "br7", logLevel: "debug", lxdSubnet: "10.1.2.1/24" };
const run = new RunFolder("/run/x");

function socket(name: string) {
  return { kind: "unix", path: `/run/x/${name}.sock` };
}

test("the daemon accepts the arguments that up gives it, with absolute paths", () => {
  const command = withDaemonFlags(new Command("daemon"));
  command.parse(daemonArguments(run, { ...flags, engine: "unix:/x", site: "./site.yaml" }).slice(1), {
    from: "user",
  });
  const options = daemonOptions(command.opts<DaemonFlags>());
  const cwd = process.cwd();
  assert.deepEqual(options.listen, [socket("guest")]);
  assert.deepEqual(options.host, socket("listener"));
  assert.equal(options.state, `${cwd}/state`);
  assert.equal(options.shared, `${cwd}/state/shared`);
  assert.equal(options.site, `${cwd}/site.yaml`);
  assert.deepEqual(
    [options.engine, options.bridge, options.lxdSubnet, options.logLevel],
    ["unix:/x", "br7", "10.1.2.1/24", "debug"],
  );
});

test("the host listens where the commands and the daemon connect", () => {
  const args = hostArguments(run, flags);
  const values = (flag: string) => args.filter((_, index) => args[index - 1] === flag);
  const [state, logLevel] = [values("--state")[0] as string, values("--log-level")[0] as string];
  const addresses = { listen: values("--listen"), listener: values("--listener"), guest: values("--guest") };
  const options = hostOptions({ ...addresses, state, logLevel, keepEvents: 1, keepMib: 1 });
  assert.deepEqual(options.listen, [socket("host")]);
  assert.deepEqual(options.listeners, [{ address: socket("listener") }]);
  assert.deepEqual(options.guests, [{ name: "local", address: socket("guest"), token: undefined }]);
});
