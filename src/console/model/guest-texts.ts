import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { GuestContainers } from "../../contract/tremplin/v1/host_pb.js";
import { whenText } from "../parts/when.ts";

/** How a guest is, in a word, and whether that is good. */
export function guestState({ guest, failureReason }: GuestContainers): {
  readonly text: string;
  readonly look: "running" | "unknown" | "other";
} {
  if (guest?.reachable === false) return { text: "away", look: "unknown" };
  return failureReason === "" ? { text: "live", look: "running" } : { text: "not ready", look: "other" };
}

export function countText(count: number): string {
  if (count === 0) return "no container";
  return count === 1 ? "1 container" : `${count} containers`;
}

/** Since when what is shown of a guest is not how things are now; empty: it is. */
export function lastKnownText({ guest, failureReason, readAt, containers }: GuestContainers): string {
  if (failureReason === "") return "";
  const times = [readAt, guest?.lastNotice].flatMap((time) => (time ? [timestampMs(time)] : []));
  if (times.length === 0) return "It has never answered.";
  const since = whenText(Math.max(...times));
  if (containers.length === 0) return `It was last there at ${since}.`;
  return `It was last there at ${since}; its containers are shown as they were then.`;
}
