import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../../base/async/clock.ts";
import { KeyedMutex } from "../../base/async/keyed-mutex.ts";
import type { Logger } from "../../base/logger.ts";
import { bootId } from "../../base/processes/process-info.ts";
import { isTemporaryName } from "../../base/temporary-name.ts";
import { isUnavailable, TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import type { Instance } from "../../engine/resources/instance.ts";
import { ContainerReconciler } from "../containers/container-reconciler.ts";
import { getContainer, uuidOf } from "../containers/find-container.ts";
import { withUsb } from "../containers/usb-mark.ts";
import { UsbAssignments } from "./usb-assignments.ts";
import { type UsbPort, UsbPorts, type UsbPortsOptions } from "./usb-ports.ts";

/** Plugging in a device causes many events: waits this long, so that containers get all nodes in one change. */
const DEBOUNCE_MS = 100;
/** First and longest delay before a failed change is retried. */
const RETRY_DELAYS_MS = [500, 30_000] as const;
/** One key for all: changes of assignments run one at a time. */
const MUTEX_KEY = "usb";
const REMOTE_ENGINE = "the engine runs on another machine: its containers cannot use USB devices of this one";
/** Events after which a container may have the wrong USB devices, or another name. */
const RELEVANT_ACTIONS = ["created", "deleted", "renamed", "restored"];

export interface UsbAttachmentsOptions {
  readonly file: string;
  /** The running engine. Throws `unavailable` if there is none. */
  readonly engine: () => Engine;
  readonly clock: Clock;
  readonly log: Logger;
  readonly sys?: string;
  /** The id of this boot of the machine; unless given, the kernel's. */
  readonly boot?: string;
}

/**
 * Keeps the USB devices of containers equal to what is plugged into the ports assigned to them, until a port is
 * detached: also after a restart of the container, the daemon or the machine (docs/contract.md#usb). Events only
 * trigger a comparison of sysfs with the engine. Devices that a container has by other means are left alone.
 */
export class UsbAttachments implements AsyncDisposable {
  readonly #options: UsbAttachmentsOptions;
  readonly #assignments: UsbAssignments;
  readonly #ports: UsbPorts;
  readonly #reconciler: ContainerReconciler;
  readonly #mutex = new KeyedMutex();

  private constructor(options: UsbAttachmentsOptions, assignments: UsbAssignments, ports: UsbPorts) {
    this.#options = options;
    this.#assignments = assignments;
    this.#ports = ports;
    const { clock, log } = options;
    this.#reconciler = new ContainerReconciler({
      reconcile: (engine, signal) => this.#reconcile(engine, signal),
      actions: RELEVANT_ACTIONS,
      failure: "cannot update the USB devices of containers; retrying",
      debounceMs: DEBOUNCE_MS,
      retryDelaysMs: RETRY_DELAYS_MS,
      ...{ clock, log },
    });
  }

  static async open(options: UsbAttachmentsOptions): Promise<UsbAttachments> {
    const { file, clock, log, sys, boot = bootId() } = options;
    const assignments = await UsbAssignments.open(file, log);
    // Changes before watch() need no trigger: watch() triggers by itself.
    let refresh = (): void => undefined;
    const number: UsbPortsOptions["number"] = (found) => assignments.number(found, boot);
    const ports = await UsbPorts.open({ changed: () => refresh(), number, clock, log, sys });
    const attachments = new UsbAttachments(options, assignments, ports);
    refresh = () => attachments.#reconciler.trigger();
    return attachments;
  }

  /** Reconciles the containers of an engine now and whenever something changes them. */
  watch(engine: Engine): void {
    this.#reconciler.watch(engine);
  }

  /**
   * Assigns a port to a container and detaches it from another one that has it. Throws `not-found` if there is no
   * such container, `invalid` if there is no such port, `failed` without a controller.
   */
  async attach(port: number, container: string): Promise<void> {
    await this.#change(async (engine) => {
      await this.#ports.check(port);
      const taker = await getContainer(engine, container);
      const holder = await this.#holderOf(engine, port);
      if (holder && uuidOf(holder) !== uuidOf(taker)) await this.#detachFrom(engine, port, holder);
      // Devices first: a port counts as attached only once the engine has accepted them.
      await this.#setPorts(engine, taker, [...this.#assignments.portsOf(taker), port]);
      await this.#assignments.set(port, taker);
    });
  }

  /** Detaches a port from the container that has it, if any, also one whose controller is away. Throws as `attach` does. */
  async detach(port: number): Promise<void> {
    await this.#change(async (engine) => {
      if (!this.#assignments.of(port)) await this.#ports.check(port);
      const holder = await this.#holderOf(engine, port);
      if (holder) await this.#detachFrom(engine, port, holder);
      await this.#assignments.remove(port);
    });
  }

  /**
   * All ports in order, each with the name of the container it is assigned to, or "". Of the ports whose controller is
   * away, those that are assigned, so that they can be detached.
   */
  async list(): Promise<readonly (UsbPort & { readonly container: string })[]> {
    const present = await this.#ports.list();
    const away = this.#assignments
      .assigned()
      .filter((each) => !present.some((port) => port.number === each.number));
    const ports = [
      ...present,
      ...away.map(({ number, usbVersion }) => ({ number, usbVersion, devices: [] })),
    ];
    return ports
      .sort((one, other) => one.number - other.number)
      .map((port) => ({ ...port, container: this.#assignments.of(port.number)?.container ?? "" }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ports[Symbol.asyncDispose]();
    await this.#reconciler[Symbol.asyncDispose]();
  }

  /** Changes an assignment; a change that fails halfway is reconciled soon. */
  async #change(change: (engine: Engine) => Promise<void>): Promise<void> {
    await this.#mutex.run(MUTEX_KEY, async () => {
      const engine = this.#options.engine();
      if (engine.address.kind !== "unix") throw new TremplinError("failed", REMOTE_ENGINE);
      await change(engine).catch((error) => {
        this.#reconciler.trigger();
        throw error;
      });
    });
  }

  async #holderOf(engine: Engine, port: number): Promise<Instance | undefined> {
    const assignment = this.#assignments.of(port);
    if (!assignment) return undefined;
    const containers = await engine.instances.list();
    return containers.find((each) => uuidOf(each) === assignment.identity);
  }

  async #detachFrom(engine: Engine, port: number, holder: Instance): Promise<void> {
    const others = this.#assignments.portsOf(holder).filter((each) => each !== port);
    await this.#setPorts(engine, holder, others);
  }

  /** Sets the USB devices of a container to those of the given ports, in one change. */
  async #setPorts(
    engine: Engine,
    container: Instance,
    ports: readonly number[],
    signal?: AbortSignal,
  ): Promise<void> {
    const nodes = await this.#ports.nodes(ports);
    if (isDeepStrictEqual(withUsb(container.devices, nodes), container.devices)) return;
    await engine.instances.update(
      container.name,
      (instance) => ({ ...instance, devices: withUsb(instance.devices, nodes) }),
      { signal },
    );
  }

  /** Reconciles all containers; false if one failed. */
  async #reconcile(engine: Engine, signal: AbortSignal): Promise<boolean> {
    return await this.#mutex.run(MUTEX_KEY, async () => {
      const containers = await engine.instances.list({ signal });
      await this.#assignments.follow(containers);
      const shown = containers.filter(({ name }) => !isTemporaryName(name));
      const right = await Promise.all(shown.map((each) => this.#reconcileContainer(engine, each, signal)));
      return right.every(Boolean);
    });
  }

  async #reconcileContainer(engine: Engine, container: Instance, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#setPorts(engine, container, this.#assignments.portsOf(container), signal).catch(ifMissing);
      return true;
    } catch (error) {
      if (signal.aborted || isUnavailable(error)) throw error;
      this.#options.log.warn(
        { error, container: container.name },
        "cannot update the USB devices of a container; retrying",
      );
      return false;
    }
  }
}
