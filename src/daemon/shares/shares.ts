import { randomBytes } from "node:crypto";
import { basename } from "node:path";
import type { Clock } from "../../base/async/clock.ts";
import { KeyedMutex } from "../../base/async/keyed-mutex.ts";
import type { Logger } from "../../base/logger.ts";
import { errorMessage, TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import { formatEngineAddress } from "../../engine/http/engine-address.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import { type Instance, instanceStatus } from "../../engine/resources/instance.ts";
import { ContainerReconciler } from "../containers/container-reconciler.ts";
import { getContainer } from "../containers/find-container.ts";
import { deviceOf, type ShareDevice, sharesOf, withoutDevices } from "../containers/share-mark.ts";
import { checkReplaced, findShare } from "./find-share.ts";
import { chooseOwner, noUser, outsideOf } from "./owners.ts";
import type { Share, WantedShare } from "./share.ts";
import type { ShareMounts } from "./share-mounts.ts";
import type { ShareRecord, ShareRecords } from "./share-records.ts";
import { defaultPath, openSource, resolveSource } from "./source-folder.ts";
import { checkDevices, checkTarget, inspectContainer } from "./target-path.ts";

const DEBOUNCE_MS = 200;
const RETRY_DELAYS_MS = [1_000, 60_000] as const;
/** A change of a container's devices that has begun is not broken off with its call: nobody would know how it ended. */
const CHANGE_TIMEOUT_MS = 60_000;
/** One key for all: changes of mounts and records run one at a time. */
const MUTEX_KEY = "shares";
/** The end of every second key of a device. */
const AGAIN = "-again";
/** Events after which a share may be used by nobody, or an engine may have started a container without it. */
const RELEVANT_ACTIONS = ["created", "deleted", "restored"];

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

/** Folders of the machine in containers (docs/shares.md). */
export class Shares implements AsyncDisposable {
  readonly #options: SharesOptions;
  readonly #mutex = new KeyedMutex();
  readonly #reconciler: ContainerReconciler;

  constructor(options: SharesOptions) {
    this.#options = options;
    const { clock, log } = options;
    this.#reconciler = new ContainerReconciler({
      reconcile: (engine, signal) => this.#reconcile(engine, signal),
      actions: RELEVANT_ACTIONS,
      failure: "cannot compare the shares with what containers have; retrying",
      debounceMs: DEBOUNCE_MS,
      retryDelaysMs: RETRY_DELAYS_MS,
      ...{ clock, log },
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
    this.#reconciler.watch(engine);
  }

  /** Ends the mounts; for when the engine has stopped. Never rejects. */
  async unmountAll(): Promise<void> {
    const { mounts, log } = this.#options;
    // Also those whose record was lost.
    for (const id of await mounts.ids()) {
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
      if (!wanted.path) checkReplaced(name, before, source);
      const person = await inspectContainer(engine, name, before.length > 0 ? undefined : path, signal);
      await using opened = await openSource(source);
      const { owner, notes } = chooseOwner({ source, opened, caller: wanted.caller, readOnly });
      const ids = { uid: person.uid, gid: person.gid };
      const address = formatEngineAddress(engine.address);
      const record = {
        source,
        readOnly,
        owner,
        person: ids,
        outside: outsideOf(container, ids),
        engine: address,
      };
      const id = randomBytes(8).toString("hex");
      const kept = await this.#add(id, record, notes);
      try {
        await this.#setDevice(engine, container, { id, path, record: kept }, before);
      } catch (error) {
        await this.#forgetUnused(engine, id);
        throw error;
      }
      for (const { mount } of before) await this.#forgetUnused(engine, basename(mount));
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
      await engine.instances.update(name, (all) => ({ ...all, devices: change(all) }), inTime());
      const { source, path, readOnly } = share;
      const owner = this.#recordOf(share)?.owner;
      await this.#forgetUnused(engine, basename(share.mount));
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
    { instances }: Engine,
    container: Instance,
    { id, path, record }: { id: string; path: string; record: ShareRecord },
    before: readonly ShareDevice[],
  ): Promise<void> {
    const key = `share-${id}`;
    const { source, readOnly } = record;
    const device = deviceOf({ key, mount: this.#options.mounts.pathOf(id), source, path, readOnly });
    const replaced = new Set(before.map((share) => share.key));
    const change = (all: Instance["devices"]) => ({ ...withoutDevices(all, replaced), [key]: device });
    await instances.update(container.name, (all) => ({ ...all, devices: change(all.devices) }), inTime());
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

  async #reconcile(engine: Engine, signal: AbortSignal): Promise<boolean> {
    const { records } = this.#options;
    return await this.#mutex.run(MUTEX_KEY, async () => {
      if (records.all.size === 0) return true;
      const here = formatEngineAddress(engine.address);
      const containers = await engine.instances.list({ signal });
      // Another engine does not know the containers of this one.
      const isOfAnother = ({ engine: of = here }: ShareRecord) => of !== here;
      for (const [id, record] of records.all) {
        const users = containers.filter((each) => this.#recordsOf(each).has(id));
        if (users.length > 0) {
          if (await this.#mount(id, record, users[0])) await this.#show(engine, id, users, signal);
        } else if (!isOfAnother(record)) await this.#forget(id);
      }
      return true;
    });
  }

  /**
   * Gives a folder that is there again to containers that started without it. Under another key the engine takes the
   * device away and adds it in one change, so that nothing can end this in the middle.
   */
  async #show(
    { instances }: Engine,
    id: string,
    containers: readonly Instance[],
    signal: AbortSignal,
  ): Promise<void> {
    for (const { name, status_code, devices } of containers) {
      const key = sharesOf(devices).find((share) => basename(share.mount) === id)?.key;
      if (status_code !== instanceStatus.running || key === undefined) continue;
      const again = (all: Instance["devices"]) => {
        const device = all[key];
        return device ? { ...withoutDevices(all, new Set([key])), [otherKey(key)]: device } : all;
      };
      await instances
        .update(name, (all) => ({ ...all, devices: again(all.devices) }), { signal })
        .catch(ifMissing);
    }
  }

  /** Forgets a share unless a container has it. Where the engine does not say, that is seen later. */
  async #forgetUnused(engine: Engine, id: string): Promise<void> {
    try {
      const containers = await engine.instances.list(inTime());
      if (!containers.some((each) => this.#recordsOf(each).has(id))) await this.#forget(id);
    } catch (error) {
      this.#options.log.warn(
        { error, id },
        "cannot compare a share with what containers have; it is done later",
      );
      this.#reconciler.trigger();
    }
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

function inTime(): { readonly signal: AbortSignal } {
  return { signal: AbortSignal.timeout(CHANGE_TIMEOUT_MS) };
}

function otherKey(key: string): string {
  return key.endsWith(AGAIN) ? key.slice(0, -AGAIN.length) : `${key}${AGAIN}`;
}
