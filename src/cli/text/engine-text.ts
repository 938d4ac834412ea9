import { type Engine, Engine_State as EngineState } from "../../contract/tremplin/v1/guest_pb.js";

/** What a guest says of its engine, in one line. */
export function engineText(engine: Engine | undefined): string {
  if (!engine) return "unknown";
  const { state, kind, version, bridge, subnet, storage, failureReason } = engine;
  const name = [kind, version].filter((word) => word !== "").join(" ") || "none";
  switch (state) {
    case EngineState.RUNNING: {
      const parts = [
        `${name} runs`,
        bridge && `bridge ${bridge} ${subnet}`.trim(),
        storage && `storage ${storage}`,
      ];
      return parts.filter((part) => part !== "").join(", ");
    }
    case EngineState.STARTING:
      return `${name} is being launched`;
    case EngineState.FAILED:
      return `${name} failed: ${failureReason}`;
    default:
      return "not launched; sudo tremplin up launches it";
  }
}
