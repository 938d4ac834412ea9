import type { Holdings } from "./holdings.ts";
import {
  copyContent,
  type InstanceRecord,
  NEVER_EXPIRES,
  type SnapshotRecord,
  viewSnapshot,
} from "./instance-record.ts";
import { startInstance, stopInstance } from "./instance-state.ts";
import { instanceResources, jsonBody, Refusal, type Route, reply, type Work, work } from "./rest.ts";

/** Snapshots of instances: taken, read, limited in time and deleted. */
export function snapshotRoutes(held: Holdings): Route[] {
  const all = "/1.0/instances/:name/snapshots";
  const one = `${all}/:snapshot`;
  return [
    reply("GET", all, ({ params }) => ({ metadata: held.instance(params.name).snapshots.map(viewSnapshot) })),
    work("POST", all, (request) => take(held, held.instance(request.params.name), jsonBody(request))),
    reply("GET", one, ({ params }) => {
      const view = viewSnapshot(find(held.instance(params.name), params.snapshot));
      return { metadata: view, version: view };
    }),
    work("PUT", one, (request) => {
      const snapshot = find(held.instance(request.params.name), request.params.snapshot);
      const { expires_at } = jsonBody<{ expires_at: string }>(request);
      return {
        description: "Updating snapshot",
        resources: instanceResources(snapshot.name),
        run() {
          snapshot.expiresAt = expires_at;
        },
      };
    }),
    work("DELETE", one, ({ params }) => {
      const instance = held.instance(params.name);
      const snapshot = find(instance, params.snapshot);
      return {
        description: "Deleting snapshot",
        resources: instanceResources(`${instance.name}/${snapshot.name}`),
        run() {
          instance.snapshots = instance.snapshots.filter((each) => each !== snapshot);
          const source = `instances/${instance.name}/snapshots/${snapshot.name}`;
          held.events.lifecycle("instance-snapshot-deleted", source);
        },
      };
    }),
  ];
}

/** Puts an instance back to a snapshot; one that runs is started again for that, as LXD does it. */
export function restoreSnapshot(held: Holdings, instance: InstanceRecord, name: string): Work {
  return {
    description: "Restoring snapshot",
    resources: instanceResources(instance.name),
    run() {
      const snapshot = instance.snapshots.find((each) => each.name === name);
      if (!snapshot) throw new Error(`Snapshot ${instance.name}/${name} does not exist`);
      const isUp = instance.status !== "Stopped";
      if (isUp) stopInstance(held, { ...instance, ephemeral: false });
      Object.assign(instance, copyContent(snapshot));
      if (isUp) startInstance(held, instance);
      const context = { snapshot: `${instance.name}/${name}` };
      held.events.lifecycle("instance-restored", `instances/${instance.name}`, context);
    },
  };
}

function find(instance: InstanceRecord, name: string | undefined): SnapshotRecord {
  const found = instance.snapshots.find((each) => each.name === name);
  if (found) return found;
  throw new Refusal(
    404,
    `Failed to fetch snapshot "${name}" of instance "${instance.name}" in project "default": InstanceSnapshot not found`,
  );
}

interface NewSnapshot {
  readonly name: string;
  readonly expires_at?: string;
}

function take(held: Holdings, instance: InstanceRecord, { name, expires_at }: NewSnapshot): Work {
  return {
    description: "Snapshotting instance",
    resources: instanceResources(instance.name),
    run() {
      if (instance.snapshots.some((each) => each.name === name)) {
        throw new Error(
          `Failed creating instance snapshot record "${name}": Add snapshot info to the database: This "instances_snapshots" entry already exists`,
        );
      }
      const times = { createdAt: held.times.next(), expiresAt: expires_at ?? NEVER_EXPIRES };
      instance.snapshots.push({ ...copyContent(instance), name, ...times });
      held.events.lifecycle("instance-snapshot-created", `instances/${instance.name}/snapshots/${name}`);
    },
  };
}
