import assert from "node:assert/strict";
import { test } from "node:test";
import { Command } from "commander";
import { type EngineFlags, withEngineFlags } from "../flags/daemon-flags.ts";
import { daemonArguments, hostArguments, type ProgramFlags } from "./launch.ts";
import { otherOptions } from "./other-options.ts";
import { RunFolder } from "./run-folder.ts";

const flags = withEngineFlags(new Command()).parse([], { from: "user" }).opts<EngineFlags>();
const run = new RunFolder("/run/x");
const hostFor = (each: ProgramFlags) => hostArguments(run, each);
const daemonFor = (each: EngineFlags) => daemonArguments(run, each);

function running(words: readonly string[]) {
  return { record: { pid: 1, startedAt: "1", boot: "b", words } };
}

for (const console of ["none", "127.0.0.1:7781"]) {
  test(`up --console ${console} says that a host which runs without it goes on so`, () => {
    const host = { name: "host", isService: false } as const;
    const said = otherOptions(host, running(hostFor(flags)), { ...flags, console }, hostFor) ?? "";
    assert.match(said, /^the host runs with other options until tremplin down: --listen unix:\/run\/x/);
    const same = running(hostFor({ ...flags, console }));
    assert.equal(otherOptions(host, same, { ...flags, console }, hostFor), undefined);
  });

  test(`up --console ${console} says that the options of the host's service count`, () => {
    const host = { name: "host", isService: true } as const;
    const service = running(["host"]);
    assert.equal(
      otherOptions(host, service, { ...flags, console }, hostFor),
      "the options of tremplin-host.service count, not those of this command: change them with systemctl edit tremplin-host.service",
    );
    assert.equal(otherOptions(host, service, flags, hostFor), undefined);
  });
}

test("the daemon's options count likewise, and the console is none of them", () => {
  const daemon = { name: "daemon", isService: true } as const;
  const service = running(["daemon"]);
  assert.equal(otherOptions(daemon, service, { ...flags, console: "none" }, daemonFor), undefined);
  assert.match(
    otherOptions(daemon, service, { ...flags, bridge: "br9" }, daemonFor) ?? "",
    /^the options of tremplin\.service count, .* systemctl edit tremplin\.service$/,
  );
  const own = { name: "daemon", isService: false } as const;
  assert.match(
    otherOptions(own, running(daemonFor(flags)), { ...flags, bridge: "br9" }, daemonFor) ?? "",
    /^the daemon runs with other options until tremplin down: --listen /,
  );
});
