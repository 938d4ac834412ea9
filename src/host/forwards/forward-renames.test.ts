import assert from "node:assert/strict";
import { test } from "node:test";
import { forwardFixture, freePorts, watching } from "../../../test/support/forward-fixture.ts";
import { hostFixture } from "../../../test/support/host-fixture.ts";
import { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import { Host } from "../../contract/tremplin/v1/host_pb.js";

test("a port that is switched off, or has a fixed number, is so under the container's new name", async (t) => {
  const { vm, shows, api } = await forwardFixture(t);
  const [off = 0, mapped = 0, fixed = 0] = await freePorts(3);
  vm.containers.set("one", "stopped");
  await api(Host).setForward({ containerName: "one", port: off, enabled: false });
  await api(Host).setForward({ containerName: "one", port: mapped, hostPort: fixed });
  // Of an earlier container of that name.
  await api(Host).setForward({ containerName: "two", enabled: false });
  await api(Guest).renameContainer({ containerName: "one", newName: "two" });
  vm.ports.listen("two", off);
  vm.ports.listen("two", mapped);
  await shows(...[`vm two:${off} OFF: switched off`, `vm two:${mapped} OPEN ${fixed}`].sort(byPort));
});

test("a whole container that is switched off stays so, also if the host is restarted meanwhile", async (t) => {
  const at = await hostFixture(t);
  const host = await at.host("vm");
  const vm = await at.guest("vm");
  const gate = Promise.withResolvers<void>();
  vm.gate = gate.promise;
  vm.containers.set("one", "stopped");
  await at.api(Host).setForward({ containerName: "one", enabled: false });
  await at.api(Guest).renameContainer({ containerName: "one", newName: "two" });
  await host[Symbol.asyncDispose]();
  await at.host("vm");
  gate.resolve();
  await watching(at).shows("vm two:0 OFF: the container is switched off");
});

test("a rename that fails or is refused changes nothing", async (t) => {
  const { vm, shows, api } = await forwardFixture(t);
  vm.containers.set("one", "running").set("idle", "stopped");
  await api(Host).setForward({ containerName: "one", enabled: false });
  await assert.rejects(api(Guest).renameContainer({ containerName: "one", newName: "two" }));
  await api(Host).setForward({ containerName: "idle", enabled: false });
  vm.fault = "there is no space left";
  await api(Guest).renameContainer({ containerName: "idle", newName: "two" });
  for await (const { notice } of api(Host).watch({ after: 0n })) {
    if (notice.case === "create" && notice.value.status === 5) break;
  }
  await shows("vm idle:0 OFF: the container is switched off", "vm one:0 OFF: the container is switched off");
});

function byPort(one: string, other: string): number {
  const port = (text: string) => Number(/:(\d+)/.exec(text)?.[1]);
  return port(one) - port(other);
}
