import { Code, ConnectError } from "@connectrpc/connect";
import { TremplinError } from "../../base/tremplin-error.ts";
import type {
  ContainerTimezone,
  GetStatusResponse,
  Problem,
  UsbPort,
} from "../../contract/tremplin/v1/guest_pb.js";
import {
  AttachUsbToContainerResponse_Status as Attach,
  DetachUsbFromContainerResponse_Status as Detach,
  StartLxdResponse_Status as Launch,
} from "../../contract/tremplin_pb.js";
import { accept, type Target } from "./actions.ts";
import { guestService, host, onGuest, tremplin } from "./host.ts";

/** What the host needs to know of a new guest; empty where it does not apply. */
export interface NewGuest {
  readonly name: string;
  readonly address: string;
  readonly token: string;
  readonly listener: string;
}

/** Returns why it does not answer yet, or an empty text. */
export async function addGuest(request: NewGuest): Promise<string> {
  const { guest } = await host.addGuest(request, { timeoutMs: 15_000 });
  return guest && !guest.reachable ? guest.failureReason : "";
}

export async function removeGuest(name: string): Promise<void> {
  await host.removeGuest({ name }, { timeoutMs: 15_000 });
}

export interface GuestStatus {
  /** Undefined for a guest that supports only the original contract. */
  readonly status: GetStatusResponse | undefined;
  readonly problems: readonly Problem[];
}

export async function statusOf(guest: string, signal: AbortSignal): Promise<GuestStatus> {
  const options = { ...onGuest(guest), signal, timeoutMs: 15_000 };
  try {
    const [status, { problems }] = await Promise.all([
      guestService.getStatus({}, options),
      guestService.listProblems({}, options),
    ]);
    return { status, problems };
  } catch (thrown) {
    if (ConnectError.from(thrown).code !== Code.Unimplemented) throw thrown;
    return { status: undefined, problems: [] };
  }
}

export async function startEngine(guest: string): Promise<void> {
  accept(await tremplin.startLxd({}, onGuest(guest)), Launch.STARTING, Launch.ALREADY_RUNNING);
}

/** Diagnostics of a guest, with secrets masked. */
export async function debugInfoOf(guest: string, signal: AbortSignal): Promise<string> {
  return (await tremplin.getDebugInfo({}, { ...onGuest(guest), signal })).debugInformation;
}

export async function usbPortsOf(guest: string, signal: AbortSignal): Promise<UsbPort[]> {
  return (await guestService.listUsbPorts({}, { ...onGuest(guest), signal, timeoutMs: 15_000 })).ports;
}

export async function attachUsb({ guest, name }: Target, portNum: number): Promise<void> {
  accept(await tremplin.attachUsbToContainer({ containerName: name, portNum }, onGuest(guest)), Attach.OK);
}

export async function detachUsb(guest: string, portNum: number): Promise<void> {
  accept(await tremplin.detachUsbFromContainer({ portNum }, onGuest(guest)), Detach.OK);
}

/** `names`: empty for all containers. */
export async function zonesOf(
  guest: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<ContainerTimezone[]> {
  const options = { ...onGuest(guest), signal };
  return (await guestService.listTimezones({ containerNames: [...names] }, options)).containers;
}

/** Returns what the person should know: where it was not set, or only in part. */
export async function setTimeZone(
  guest: string,
  timezoneName: string,
  containerNames: readonly string[],
): Promise<string> {
  const request = { timezoneName, containerNames: [...containerNames] };
  const { successes, failureReasons } = await tremplin.setTimezone(request, onGuest(guest));
  const reasons = failureReasons.join("; ");
  if (successes === 0)
    throw new TremplinError("failed", reasons || "The guest refused the time zone, without a reason");
  return reasons;
}
