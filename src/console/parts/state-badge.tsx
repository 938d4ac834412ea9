import type { ContainerInfo } from "../../contract/tremplin/v1/host_pb.js";

/** The state of a container, in words and colour. */
export function StateBadge({ info }: { readonly info: ContainerInfo }) {
  const { container, stale } = info;
  const state = container?.state || "unknown";
  if (stale) return <span class="badge unknown">was {state}</span>;
  const look = ["running", "ready"].includes(state) ? "running" : state === "stopped" ? "stopped" : "other";
  return <span class={`badge ${look}`}>{state}</span>;
}
