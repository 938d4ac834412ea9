import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { forwardFixture, freePorts, watching } from "../../../test/support/forward-fixture.ts";
import { hostFixture } from "../../../test/support/host-fixture.ts";
import { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import { Host } from "../../contract/tremplin/v1/host_pb.js";
import { ContainerCreationProgress_Status as Create } from "../../contract/tremplin_pb.js";

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

test("a port stays switched off if the host is killed before the guest says that it renames", async (t) => {
  const at = await hostFixture(t);
  const host = await at.host("vm");
  const vm = await at.guest("vm");
  const [gate, answers] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  Object.assign(vm, { gate: gate.promise, answers: answers.promise });
  for (const name of ["one", "other"]) vm.containers.set(name, "stopped");
  for (const containerName of ["one", "other"]) {
    await at.api(Host).setForward({ containerName, port: 8080, enabled: false });
  }
  const asked = at.api(Guest).renameContainer({ containerName: "one", newName: "two" });
  const lost = assert.rejects(asked);
  const isAsked = async () => (vm.asked.some((each) => each.startsWith("rename one")) ? true : undefined);
  await eventually("the request", isAsked);
  await host[Symbol.asyncDispose]();
  await lost;
  answers.resolve();
  await at.host("vm");
  gate.resolve();
  await watching(at).shows("vm other:8080 OFF: switched off", "vm two:8080 OFF: switched off");
});

test("a container that is created later takes nothing of one that the guest did not rename", async (t) => {
  const { vm, shows, api, running, host, listener } = await forwardFixture(t);
  vm.containers.set("one", "stopped");
  await api(Host).setForward({ containerName: "one", enabled: false });
  await vm.close();
  await assert.rejects(api(Guest).renameContainer({ containerName: "one", newName: "two" }));
  await running[Symbol.asyncDispose]();
  await host("vm");
  await vm.listen();
  const headers = { ...vm.metadata, "tremplin-notice": "n", "tremplin-operation": "0123456789abcdef" };
  await listener("vm").updateCreateStatus({ containerName: "two", status: Create.CREATED }, { headers });
  await shows("vm one:0 OFF: the container is switched off");
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
