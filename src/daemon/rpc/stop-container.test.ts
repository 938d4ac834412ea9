import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { ContainerActions } from "../../../test/support/container-actions.ts";
import { MemoryEngine } from "../../../test/support/memory-engine/memory-engine.ts";
import { tinyImageBytes } from "../../../test/support/memory-engine/tiny-image-bytes.ts";
import {
  StopContainerResponse_Status as Status,
  StopContainerRequestSchema,
} from "../../contract/tremplin_pb.js";
import { isToRunAgain } from "../containers/autostart.ts";
import type { RpcDeps } from "./rpc.ts";
import { stopContainer } from "./stop-container.ts";

test("one that waits to be started again after its engine ended does not any more once it is stopped", async () => {
  await using memory = await MemoryEngine.open();
  await using engine = await memory.connect();
  const actions = new ContainerActions(engine, memory.addImage(tinyImageBytes()));
  await actions.create("web", { config: { "boot.autostart": "false" } });
  await actions.set("web", { "user.tremplin.autostart": "last" });
  await actions.act("web", "start");
  // As an engine that ends leaves it: it remembers that it ran.
  Object.assign(memory.instance("web"), { status: "Stopped", pid: 0 });
  const waits = async () => isToRunAgain((await engine.instances.get("web")).value, "last");
  assert.equal(await waits(), true);
  const runner = { locks: { holder: () => undefined } };
  const deps = { engine: { running: () => engine }, runner } as unknown as RpcDeps;
  const request = create(StopContainerRequestSchema, { containerName: "web" });
  const context = { signal: new AbortController().signal } as HandlerContext;
  assert.equal((await stopContainer(deps)(request, context)).status, Status.STOPPED);
  assert.equal(await waits(), false);
});
