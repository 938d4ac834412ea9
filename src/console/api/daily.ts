import type { Snapshot } from "../../contract/tremplin/v1/guest_pb.js";
import type { Target } from "./actions.ts";
import { guestService, onGuest } from "./host.ts";

/** Storage that keeps full copies needs time to delete one. */
const DELETE_TIMEOUT_MS = 600_000;
const DAY_SECONDS = 24n * 3600n;

/** The snapshots of a container, the newest first. */
export async function snapshotsOf({ guest, name }: Target, signal: AbortSignal): Promise<Snapshot[]> {
  const options = { ...onGuest(guest), signal };
  const { snapshots } = await guestService.listSnapshots({ containerName: name }, options);
  return snapshots.toReversed();
}

/** `snapshotName`: empty for the first free one. `days`: until it deletes itself; 0: never. */
export async function takeSnapshot(
  { guest, name }: Target,
  snapshotName: string,
  days: number,
): Promise<void> {
  const lifetimeSeconds = BigInt(days) * DAY_SECONDS;
  await guestService.createSnapshot({ containerName: name, snapshotName, lifetimeSeconds }, onGuest(guest));
}

export async function returnToSnapshot({ guest, name }: Target, snapshotName: string): Promise<void> {
  await guestService.restoreSnapshot({ containerName: name, snapshotName }, onGuest(guest));
}

export async function deleteSnapshot({ guest, name }: Target, snapshotName: string): Promise<void> {
  const options = { ...onGuest(guest), timeoutMs: DELETE_TIMEOUT_MS };
  await guestService.deleteSnapshot({ containerName: name, snapshotName }, options);
}

export async function rename({ guest, name }: Target, newName: string): Promise<void> {
  await guestService.renameContainer({ containerName: name, newName }, onGuest(guest));
}

export async function copy({ guest, name }: Target, newName: string, snapshots: boolean): Promise<void> {
  await guestService.copyContainer({ containerName: newName, sourceName: name, snapshots }, onGuest(guest));
}

/** By the names that `tremplin set` takes. */
export type Settings = Readonly<Record<string, string>>;

export async function settingsOf({ guest, name }: Target, signal: AbortSignal): Promise<Settings> {
  const options = { ...onGuest(guest), signal };
  return (await guestService.getContainerSettings({ containerName: name }, options)).settings;
}

/** Returns what the person should know about it. */
export async function changeSettings({ guest, name }: Target, settings: Settings): Promise<string[]> {
  const request = { containerName: name, settings };
  return (await guestService.setContainerSettings(request, onGuest(guest))).notes;
}

/** The newest lines of the log of the system inside, or with `boot` of the container's last start. */
export async function logOf(
  { guest, name }: Target,
  boot: boolean,
  lines: number,
  signal: AbortSignal,
): Promise<string> {
  const options = { ...onGuest(guest), signal };
  return (await guestService.readContainerLog({ containerName: name, boot, lines }, options)).text;
}
