import {
  type Engine,
  Engine_Phase as Phase,
  Engine_State as State,
} from "../../contract/tremplin/v1/guest_pb.js";

/** While the engine starts. A daemon of an earlier version sends no phase. */
const startingTexts: Readonly<Partial<Record<Phase, string>>> = {
  [Phase.PREPARING]: "the engine is being prepared for containers",
  [Phase.SAVING_CONFIG]: "the engine's configuration is being saved before its database is reset",
  [Phase.MOVING_DATABASE]: "the engine's old database is being moved away",
  [Phase.RECOVERING_CONTAINERS]: "the containers are being imported into a new database",
  [Phase.RESTORING_DATABASE]: "the engine's old database is being restored",
  [Phase.CONCLUDING_RESET]: "the reset of the engine's database is being completed",
  [Phase.RECOVERING_OPERATIONS]: "interrupted operations are being recovered",
};

/** The name of an engine of which nothing is known. */
const NONE = "none";

/** The state of a guest's engine, in one line. */
export function engineText(engine: Engine | undefined): string {
  if (!engine) return "unknown";
  const { state, phase, phaseReason, failureReason } = engine;
  const name = [engine.kind, engine.version].filter((part) => part !== "").join(" ") || NONE;
  switch (state) {
    case State.RUNNING:
      return phase === Phase.RESTARTING
        ? `${name} crashed and is being started again`
        : runningText(name, engine);
    case State.STARTING: {
      const text = startingTexts[phase] ?? "the engine is starting";
      return phaseReason ? `${text} (${phaseReason})` : text;
    }
    case State.FAILED:
      return `${name === NONE ? "it" : name} could not be started: ${failureReason}`;
    default:
      return "not started; sudo tremplin up starts it";
  }
}

function runningText(name: string, { bridge, subnet, storage }: Engine): string {
  const parts = [
    `${name} is running`,
    bridge && `bridge ${bridge} ${subnet}`.trim(),
    storage && `storage ${storage}`,
  ];
  return parts.filter((part) => part !== "").join(", ");
}
