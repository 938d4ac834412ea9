import { randomUUID } from "node:crypto";
import type {
  InstanceCreate,
  InstanceMetadata,
  InstanceUpdate,
} from "../../../src/engine/resources/instance.ts";
import type { Holdings } from "./holdings.ts";
import {
  type InstanceRecord,
  NEVER_USED,
  viewInstance,
  viewSnapshot,
  withNextIdMap,
  writablePart,
} from "./instance-record.ts";
import { contentOf } from "./instance-source.ts";
import { stateOf } from "./instance-state.ts";
import {
  checkVersion,
  instanceResources,
  jsonBody,
  Refusal,
  type Reply,
  type RestRequest,
  type Route,
  reply,
  type Work,
  work,
} from "./rest.ts";
import { restoreSnapshot } from "./snapshots.ts";

/** Instances: made, read, changed, renamed and deleted. */
export function instanceRoutes(held: Holdings): Route[] {
  return [
    reply("GET", "/1.0/instances", ({ query }) => ({ metadata: list(held, query.get("recursion")) })),
    work("POST", "/1.0/instances", (request) => create(held, jsonBody(request))),
    reply("GET", "/1.0/instances/:name", ({ params }) => get(held, params.name)),
    work("PUT", "/1.0/instances/:name", (request) => put(held, request)),
    work("POST", "/1.0/instances/:name", (request) => rename(held, request)),
    work("DELETE", "/1.0/instances/:name", ({ params }) => remove(held, params.name)),
    reply("GET", "/1.0/instances/:name/metadata", ({ params }) => metadataOf(held.instance(params.name))),
    reply("PUT", "/1.0/instances/:name/metadata", (request) => putMetadata(held, request)),
    reply("GET", "/1.0/instances/:name/metadata/templates", ({ params, query }) => {
      const text = held.instance(params.name).templates[query.get("path") ?? ""];
      if (text === undefined) throw new Refusal(404, "Template not found");
      return { raw: Buffer.from(text) };
    }),
  ];
}

function list(held: Holdings, recursion: string | null): unknown {
  const all = [...held.instances.values()];
  if (recursion === null) return all.map(({ name }) => `/1.0/instances/${name}`);
  return all.map((instance) => ({
    ...viewInstance(instance, held.profiles),
    ...(recursion === "2" && {
      state: stateOf(held, instance),
      snapshots: instance.snapshots.length > 0 ? instance.snapshots.map(viewSnapshot) : null,
    }),
  }));
}

function get(held: Holdings, name: string | undefined): Reply {
  const instance = held.instance(name);
  return { metadata: viewInstance(instance, held.profiles), version: writablePart(instance) };
}

function create(held: Holdings, body: InstanceCreate): Work {
  const { name, source } = body;
  if (!/^[a-zA-Z][a-zA-Z0-9-]{0,62}$/.test(name)) {
    throw new Refusal(400, "Invalid instance name: Name can only contain alphanumeric and hyphen characters");
  }
  const begin = contentOf(held, body);
  const named = source.type === "copy" ? [name, source.source] : [name];
  return {
    description: "Creating instance",
    resources: instanceResources(...named),
    run() {
      const failed = (why: string) => new Error(`Failed creating instance record: ${why}`);
      if (held.instances.has(name)) {
        throw failed('Add instance info to the database: This "instances" entry already exists');
      }
      const { snapshots, ...content } = begin();
      const instance: InstanceRecord = {
        ...content,
        config: withNextIdMap(content.config),
        name,
        status: "Stopped",
        createdAt: held.times.next(),
        lastUsedAt: NEVER_USED,
        pid: 0,
        snapshots,
        isStubborn: false,
      };
      const disks = Object.values(viewInstance(instance, held.profiles).expanded_devices);
      if (!disks.some(({ path }) => path === "/")) {
        throw failed("Failed initialising instance: Failed getting root disk: No root device could be found");
      }
      held.instances.set(name, instance);
      held.events.lifecycle("instance-created", `instances/${name}`, { type: "container" });
    },
  };
}

function put(held: Holdings, request: RestRequest): Work {
  const instance = held.instance(request.params.name);
  const body = jsonBody<InstanceUpdate & { restore?: string }>(request);
  if (body.restore !== undefined) return restoreSnapshot(held, instance, body.restore);
  checkVersion(request, writablePart(instance));
  const { name } = instance;
  return {
    description: "Updating instance",
    resources: instanceResources(name),
    run() {
      Object.assign(instance, writablePart({ ...instance, ...body }));
      instance.config = withNextIdMap(instance.config);
      held.events.lifecycle("instance-updated", `instances/${name}`);
    },
  };
}

function rename(held: Holdings, request: RestRequest): Work {
  const instance = held.instance(request.params.name);
  const { name: newName } = jsonBody<{ name: string }>(request);
  if (held.instances.has(newName)) throw new Refusal(409, `Name "${newName}" already in use`);
  const oldName = instance.name;
  return {
    description: "Renaming instance",
    resources: instanceResources(oldName),
    run() {
      if (instance.status !== "Stopped") throw new Error("Renaming of running container not allowed");
      held.instances.delete(oldName);
      instance.name = newName;
      instance.config = {
        ...instance.config,
        "volatile.apply_template": "rename",
        "volatile.cloud-init.instance-id": randomUUID(),
      };
      held.instances.set(newName, instance);
      held.events.lifecycle("instance-renamed", `instances/${newName}`, { old_name: oldName });
    },
  };
}

function remove(held: Holdings, name: string | undefined): Work {
  const instance = held.instance(name);
  if (instance.status !== "Stopped") throw new Refusal(400, "Instance is running");
  return {
    description: "Deleting instance",
    resources: instanceResources(instance.name),
    run() {
      const { expanded_config } = viewInstance(instance, held.profiles);
      if (expanded_config["security.protection.delete"] === "true") throw new Error("Container is protected");
      held.instances.delete(instance.name);
      held.events.lifecycle("instance-deleted", `instances/${instance.name}`);
    },
  };
}

function metadataOf({ metadata }: InstanceRecord): Reply {
  return { metadata, version: metadata };
}

function putMetadata(held: Holdings, request: RestRequest): Reply {
  const instance = held.instance(request.params.name);
  checkVersion(request, instance.metadata);
  instance.metadata = jsonBody<InstanceMetadata>(request);
  return {};
}
