import type { InstanceState, StateChange } from "../../../src/engine/resources/instance.ts";
import type { Holdings } from "./holdings.ts";
import { configOfStarted, type InstanceRecord, viewInstance } from "./instance-record.ts";
import { jsonBody, type RestRequest, type Route, reply, type Work, work } from "./rest.ts";

/** Starting, stopping and pausing instances. */
export function stateRoutes(held: Holdings): Route[] {
  return [
    reply("GET", "/1.0/instances/:name/state", ({ params }) => ({
      metadata: stateOf(held, held.instance(params.name)),
    })),
    work("PUT", "/1.0/instances/:name/state", (request) => change(held, request)),
  ];
}

/** Lets an instance run, as a start does. */
export function startInstance(held: Holdings, instance: InstanceRecord): void {
  instance.config = configOfStarted(instance.config);
  instance.status = "Running";
  instance.lastUsedAt = held.times.next();
  instance.pid = 1000 + Number(held.times.next().slice(-7, -1));
  held.events.lifecycle("instance-started", `instances/${instance.name}`);
}

/** Ends an instance; one that is ephemeral goes with that. */
export function stopInstance(held: Holdings, instance: InstanceRecord): void {
  instance.status = "Stopped";
  instance.pid = 0;
  instance.config = { ...instance.config, "volatile.last_state.power": "STOPPED" };
  held.events.lifecycle("instance-stopped", `instances/${instance.name}`);
  if (!instance.ephemeral) return;
  held.instances.delete(instance.name);
  held.events.lifecycle("instance-deleted", `instances/${instance.name}`);
}

const words = {
  start: "Starting",
  stop: "Stopping",
  restart: "Restarting",
  freeze: "Freezing",
  unfreeze: "Unfreezing",
};

function change(held: Holdings, request: RestRequest): Work {
  const instance = held.instance(request.params.name);
  const wanted = jsonBody<StateChange>(request);
  return {
    description: `${words[wanted.action]} instance`,
    resources: { instances: [`/1.0/instances/${instance.name}`] },
    run: () => apply(held, instance, wanted),
  };
}

function apply(held: Holdings, instance: InstanceRecord, { action, force, timeout = -1 }: StateChange): void {
  const { status, isStubborn, name } = instance;
  if (action === "start") {
    if (status !== "Stopped") throw new Error("The instance is already running");
    startInstance(held, instance);
    return;
  }
  if (status === "Stopped") {
    throw new Error(`The instance is already stopped`);
  }
  if (action === "stop" || action === "restart") {
    if (isStubborn && !force && timeout >= 0) {
      throw new Error('Failed shutting down instance, status is "Running": context deadline exceeded');
    }
    stopInstance(held, instance);
    if (action === "restart") startInstance(held, instance);
    return;
  }
  const isFrozen = status === "Frozen";
  if (isFrozen === (action === "freeze")) {
    throw new Error(`The container is already ${isFrozen ? "frozen" : "running"}`);
  }
  instance.status = isFrozen ? "Running" : "Frozen";
  held.events.lifecycle(isFrozen ? "instance-resumed" : "instance-paused", `instances/${name}`);
}

export function stateOf(held: Holdings, instance: InstanceRecord): InstanceState {
  const { status, status_code } = viewInstance(instance, held.profiles);
  return {
    status,
    status_code,
    pid: instance.pid,
    network: instance.pid > 0 ? {} : null,
    disk: { root: { usage: held.diskUsage } },
    memory: { usage: 0, usage_peak: 0 },
    processes: instance.pid > 0 ? 1 : 0,
    cpu: { usage: 0 },
  };
}
