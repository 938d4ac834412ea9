import { randomBytes } from "node:crypto";
import { basename } from "node:path";
import type { Clock } from "../../base/async/clock.ts";
import { KeyedMutex } from "../../base/async/keyed-mutex.ts";
import { Reconciler } from "../../base/async/reconciler.ts";
import type { Logger } from "../../base/logger.ts";
import { errorMessage, isUnavailable, TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import type { EngineEvent } from "../../engine/events/engine-event.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import { type Instance, instanceStatus } from "../../engine/resources/instance.ts";
import { getContainer } from "../containers/find-container.ts";
import { deviceOf, type ShareDevice, sharesOf, withoutDevices } from "../containers/share-mark.ts";
import { chooseOwner, outsideOf } from "./owners.ts";
import type { ShareMounts } from "./share-mounts.ts";
import type { Ids, ShareRecord, ShareRecords } from "./share-records.ts";
import { defaultPath, openSource, resolveSource } from "./source-folder.ts";
import { checkDevices, checkTarget, inspectContainer } from "./target-path.ts";

const DEBOUNCE_MS = 200;
const RETRY_DELAYS_MS = [1_000, 60_000] as const;
/** One key for all: changes of mounts and records run one at a time. */
const MUTEX_KEY = "shares";
/** Events after which a share may be used by nobody, or an engine may have started a container without it. */
const RELEVANT_ACTIONS = ["created", "deleted", "restored"].map((what) => `instance-${what}`);

export interface SharesOptions {
  readonly records: ShareRecords;
  readonly mounts: ShareMounts;
  /** Folders that no container may see, and none that has them. */
  readonly own: readonly string[];
  /** The running engine. Throws `unavailable` if there is none. */
  readonly engine: () => Engine;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface WantedShare {
  readonly source: string;
  /** Empty: below /mnt, with the name of the folder. */
  readonly path: string;
  readonly readOnly: boolean;
  /** Who asks, on the machine of the daemon; undefined where that is not known. */
  readonly caller: Ids | undefined;
}

/** A share as people see it. */
export interface Share extends Pick<ShareDevice, "source" | "path" | "readOnly"> {
  readonly container: string;
  /** Undefined where owners are shown as they are. */
  readonly owner: Ids | undefined;
  /** Why the container does not see it, and what helps; empty if it does. */
  readonly problem: string;
}

/** Folders of the machine in containers (docs/shares.md). */
export class Shares implements AsyncDisposable {
  readonly #options: SharesOptions;
  readonly #mutex = new KeyedMutex();
  readonly #reconciler: Reconciler;
  #subscription: Disposable | undefined;

  constructor(options: SharesOptions) {
    this.#options = options;
    this.#reconciler = new Reconciler({
      reconcile: (signal) => this.#reconcile(signal),
      debounceMs: DEBOUNCE_MS,
      retryDelaysMs: RETRY_DELAYS_MS,
      clock: options.clock,
    });
  }

  /** Mounts what can be mounted, before a managed engine starts its containers. Never rejects. */
  async prepare(): Promise<void> {
    await this.#mutex.run(MUTEX_KEY, async () => {
      for (const [id, record] of this.#options.records.all) await this.#mount(id, record);
    });
  }

  /** Before a container starts: its ids may be others than when the share was mounted. Never rejects. */
  async prepareContainer(container: Instance): Promise<void> {
    await this.#mutex.run(MUTEX_KEY, async () => {
      for (const [id, record] of this.#recordsOf(container)) await this.#mount(id, record, container);
    });
  }

  /** Forgets what no container of the engine has any more, now and whenever a container is gone or restored. */
  watch(engine: Engine): void {
    const refresh = (): void => this.#reconciler.trigger();
    const onEvent = (event: EngineEvent): void => {
      if (event.type === "lifecycle" && RELEVANT_ACTIONS.includes(event.metadata.action)) refresh();
    };
    this.#subscription?.[Symbol.dispose]();
    this.#subscription = engine.events.subscribe({ types: ["lifecycle"], reconnected: refresh }, onEvent);
    refresh();
  }

  /** Ends the mounts; for when the engine has stopped. Never rejects. */
  async unmountAll(): Promise<void> {
    const { records, mounts, log } = this.#options;
    for (const id of records.all.keys()) {
      await mounts.unmount(id).catch((error) => log.warn({ error, id }, "a share could not be unmounted"));
    }
  }

  /** Shares a folder. One that the container has at that path already is replaced. Returns notes too. */
  async create(name: string, wanted: WantedShare, signal: AbortSignal): Promise<[Share, string[]]> {
    return await this.#mutex.run(MUTEX_KEY, async () => {
      const engine = this.#localEngine();
      const source = await resolveSource(wanted.source, this.#options.own);
      const { readOnly } = wanted;
      const path = wanted.path || defaultPath(source);
      checkTarget(path);
      const container = await getContainer(engine, name, signal);
      checkDevices(container.expanded_devices, path);
      const before = sharesOf(container.devices).filter((share) => share.path === path);
      const person = await inspectContainer(engine, name, before.length > 0 ? undefined : path, signal);
      await using opened = await openSource(source);
      const { owner, notes } = chooseOwner({ source, opened, caller: wanted.caller, readOnly });
      const ids = { uid: person.uid, gid: person.gid };
      const record = { source, readOnly, owner, person: ids, outside: outsideOf(container, ids) };
      const id = randomBytes(8).toString("hex");
      const kept = await this.#add(id, record, notes);
      try {
        await this.#setDevice(container, { id, path, record: kept }, before, signal);
      } catch (error) {
        await this.#forget(id);
        throw error;
      }
      for (const { mount } of before) await this.#forgetUnused(engine, basename(mount), signal);
      if (!person.isThere && kept.owner) notes.push(noUser(name));
      const share = { container: name, source, path, readOnly, owner: kept.owner, problem: "" };
      return [share, notes];
    });
  }

  /** Ends a share, by its path in the container or by its folder. Throws `not-found` for neither. */
  async remove(name: string, place: string, signal: AbortSignal): Promise<Share> {
    return await this.#mutex.run(MUTEX_KEY, async () => {
      const engine = this.#localEngine();
      const container = await getContainer(engine, name, signal);
      const share = await findShare(container, place);
      const gone = new Set([share.key]);
      const change = (instance: { devices: Instance["devices"] }) => withoutDevices(instance.devices, gone);
      await engine.instances.update(name, (all) => ({ ...all, devices: change(all) }), { signal });
      const { source, path, readOnly } = share;
      const owner = this.#recordOf(share)?.owner;
      await this.#forgetUnused(engine, basename(share.mount), signal);
      return { container: name, source, path, readOnly, owner, problem: "" };
    });
  }

  /** The shares of a container, or of all. */
  async list(name: string, signal: AbortSignal): Promise<Share[]> {
    const engine = this.#options.engine();
    const containers = name
      ? [await getContainer(engine, name, signal)]
      : await engine.instances.list({ signal });
    const all = containers.flatMap((each) =>
      sharesOf(each.devices).map(async (share): Promise<Share> => {
        const record = this.#recordOf(share);
        const { source, path, readOnly } = share;
        const problem = await this.#problemOf(each.name, share, record);
        return { container: each.name, source, path, readOnly, owner: record?.owner, problem };
      }),
    );
    return await Promise.all(all);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription?.[Symbol.dispose]();
    await this.#reconciler[Symbol.asyncDispose]();
  }

  #localEngine(): Engine {
    const engine = this.#options.engine();
    if (engine.address.kind === "unix") return engine;
    throw new TremplinError(
      "failed",
      "the engine runs on another machine: its containers see no folder of this one",
    );
  }

  /** Records and mounts a share. Of one to read, the owners stay as they are where they cannot be mapped. */
  async #add(id: string, record: ShareRecord, notes: string[]): Promise<ShareRecord> {
    const { records, mounts } = this.#options;
    await records.set(id, record);
    try {
      await mounts.mount(id, record);
      return record;
    } catch (error) {
      if (record.readOnly && record.owner) {
        notes.push("the owners of its files are not mapped: the container reads what everybody may read");
        return await this.#add(id, { ...record, owner: undefined }, notes);
      }
      await this.#forget(id);
      throw error;
    }
  }

  async #setDevice(
    container: Instance,
    { id, path, record }: { id: string; path: string; record: ShareRecord },
    before: readonly ShareDevice[],
    signal: AbortSignal,
  ): Promise<void> {
    const key = `share-${id}`;
    const { source, readOnly } = record;
    const device = deviceOf({ key, mount: this.#options.mounts.pathOf(id), source, path, readOnly });
    const replaced = new Set(before.map((share) => share.key));
    const change = (all: Instance["devices"]) => ({ ...withoutDevices(all, replaced), [key]: device });
    const { instances } = this.#options.engine();
    await instances.update(container.name, (all) => ({ ...all, devices: change(all.devices) }), { signal });
  }

  /** Mounts a share, with the ids that the container has now. Logs what is in the way. True if it was not mounted. */
  async #mount(id: string, record: ShareRecord, container?: Instance): Promise<boolean> {
    const { records, mounts, log } = this.#options;
    try {
      const outside = container ? outsideOf(container, record.person) : record.outside;
      const isChanged = outside.uid !== record.outside.uid || outside.gid !== record.outside.gid;
      if (isChanged) await records.set(id, { ...record, outside });
      return await mounts.mount(id, { ...record, outside }, isChanged);
    } catch (error) {
      log.warn({ error, source: record.source }, "a shared folder is not there; containers start without it");
      return false;
    }
  }

  async #reconcile(signal: AbortSignal): Promise<boolean> {
    const { records, log } = this.#options;
    return await this.#mutex.run(MUTEX_KEY, async () => {
      try {
        if (records.all.size === 0) return true;
        const containers = await this.#options.engine().instances.list({ signal });
        const users = (id: string) => containers.filter((each) => this.#recordsOf(each).has(id));
        for (const [id, record] of records.all) {
          const [first, ...others] = users(id);
          if (!first) await this.#forget(id);
          else if (await this.#mount(id, record, first)) await this.#show(id, [first, ...others], signal);
        }
        return true;
      } catch (error) {
        // Without an engine there is nothing to do: watch() triggers once one runs.
        if (signal.aborted || isUnavailable(error)) return true;
        log.warn({ error }, "cannot compare the shares with what containers have; retrying");
        return false;
      }
    });
  }

  /** Gives a folder that is there again to containers that started without it. */
  async #show(id: string, containers: readonly Instance[], signal: AbortSignal): Promise<void> {
    const { instances } = this.#options.engine();
    for (const { name, status_code, devices } of containers) {
      const key = sharesOf(devices).find((share) => basename(share.mount) === id)?.key;
      const device = key === undefined ? undefined : devices[key];
      if (status_code !== instanceStatus.running || key === undefined || !device) continue;
      const gone = new Set([key]);
      const without = (all: Instance["devices"]) => withoutDevices(all, gone);
      await instances
        .update(name, (all) => ({ ...all, devices: without(all.devices) }), { signal })
        .catch(ifMissing);
      const again = (all: Instance["devices"]) => ({ ...all, [key]: device });
      await instances
        .update(name, (all) => ({ ...all, devices: again(all.devices) }), { signal })
        .catch(ifMissing);
    }
  }

  async #forgetUnused(engine: Engine, id: string, signal: AbortSignal): Promise<void> {
    const containers = await engine.instances.list({ signal });
    if (!containers.some((each) => this.#recordsOf(each).has(id))) await this.#forget(id);
  }

  async #forget(id: string): Promise<void> {
    const { records, mounts } = this.#options;
    if (!records.all.has(id)) return;
    await mounts.unmount(id);
    await records.set(id, undefined);
  }

  #recordsOf({ devices }: Pick<Instance, "devices">): ReadonlyMap<string, ShareRecord> {
    const found = sharesOf(devices).map((share) => [basename(share.mount), this.#recordOf(share)] as const);
    return new Map(found.flatMap(([id, record]) => (record ? [[id, record]] : [])));
  }

  /** A device of that mark which leads elsewhere came from another machine, or from a person. */
  #recordOf({ mount }: ShareDevice): ShareRecord | undefined {
    const { records, mounts } = this.#options;
    const id = basename(mount);
    return mounts.pathOf(id) === mount ? records.all.get(id) : undefined;
  }

  async #problemOf(name: string, { source, path, mount }: ShareDevice, record: ShareRecord | undefined) {
    const advice = `tremplin share ${name} ${source} ${path}`;
    if (!record) return `not shared any more: it came with a snapshot or a copy; ${advice} shares it again`;
    try {
      if (await this.#options.mounts.isMounted(basename(mount), record.source)) return "";
      return `the folder is there again; ${advice} shows it`;
    } catch (error) {
      return errorMessage(error);
    }
  }
}

/** The one share that a person means. */
async function findShare({ name, devices }: Instance, place: string): Promise<ShareDevice> {
  const shares = sharesOf(devices);
  const source = await resolveSource(place, []).catch(() => place);
  const found = shares.filter((share) => share.path === place);
  const bySource = shares.filter((share) => share.source === place || share.source === source);
  const [share, ...others] = found.length > 0 ? found : bySource;
  if (!share) {
    throw new TremplinError(
      "not-found",
      `${name} has no share ${place}; tremplin shares ${name} lists those that it has`,
    );
  }
  if (others.length === 0) return share;
  const paths = bySource.map(({ path }) => path).join(", ");
  throw new TremplinError("invalid", `${name} has ${place} at several paths: ${paths}; name one of them`);
}

function noUser(name: string): string {
  return `${name} has no user yet: its files belong to the uid 1000 there, which tremplin user ${name} USER makes`;
}
