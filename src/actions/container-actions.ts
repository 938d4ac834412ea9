/**
 * Which action is legal in which state: the one table that the daemon, the host, the command line and the console share.
 * It runs in browsers too, so it imports nothing.
 */

/** What a person can do with a container, by the name of the command that does it. */
export type ContainerAction = keyof typeof rules;

/** What a person can do with a guest, apart from its containers. */
export type GuestAction = "start-engine" | "create" | "import";

/** What decides about the actions on a container. */
export interface ContainerFacts {
  readonly name: string;
  /** The engine's word for it, in lower case. */
  readonly state: string;
  /** Under way on it. */
  readonly operation?: BusyWith | undefined;
  /** Whether its newest upgrade can be rolled back. Undefined: nobody knows. */
  readonly hasRollbackSnapshot?: boolean | undefined;
}

/** An operation that keeps a container, or the engine, busy. */
export interface BusyWith {
  readonly kind: string;
  /** Milliseconds since 1970. */
  readonly startedAt?: number | undefined;
  /** What keeps it from ending. */
  readonly obstacle?: string | undefined;
}

/** Why an action is not legal. `busy`: an operation is under way, so it may be legal soon. */
export interface Refusal {
  readonly code: "busy" | "state";
  /** A sentence that says what to do. */
  readonly sentence: string;
}

/** A condition on a container: the sentence for one that does not meet it. */
type Condition = (facts: ContainerFacts) => string | undefined;

interface Rule {
  /** Whether it needs the container for itself. */
  readonly alone: boolean;
  readonly condition?: Condition;
}

const isRunning = ({ state }: ContainerFacts): boolean => state === "running" || state === "ready";

const stopped: Condition = ({ name, state }) => {
  if (isRunning({ name, state })) return `${name} is running already`;
  return state === "frozen" ? frozenSentence(name) : undefined;
};

const running: Condition = (facts) => {
  const { name, state } = facts;
  if (isRunning(facts)) return undefined;
  return state === "frozen" ? frozenSentence(name) : `${name} is not running; start it first`;
};

const notStopped: Condition = ({ name, state }) =>
  state === "stopped" ? `${name} is stopped already` : undefined;

const down: Condition = ({ name, state }) =>
  state === "stopped" ? undefined : `${name} is ${state}; stop it first`;

const withRollbackSnapshot: Condition = ({ name, hasRollbackSnapshot }) =>
  hasRollbackSnapshot === false ? noRollbackSnapshot(name) : undefined;

const cancellable = ["create", "export", "import", "upgrade", "snapshot", "copy"];

const rules = {
  start: { alone: true, condition: stopped },
  stop: { alone: true, condition: notStopped },
  restart: { alone: true, condition: running },
  delete: { alone: true },
  shell: { alone: false, condition: running },
  user: { alone: true },
  timezone: { alone: false },
  export: { alone: true },
  /** Replace it by a backup. */
  import: { alone: true },
  upgrade: { alone: true, condition: running },
  "upgrade-rollback": { alone: true, condition: withRollbackSnapshot },
  "upgrade-commit": { alone: true, condition: withRollbackSnapshot },
  usb: { alone: false },
  snapshot: { alone: true },
  rename: { alone: true, condition: down },
  copy: { alone: true },
  set: { alone: true },
  /** Return to a snapshot. */
  restore: { alone: true },
  /** End the operation that is under way. */
  cancel: { alone: false, condition: notCancellable },
} as const satisfies Readonly<Record<string, Rule>>;

/** All actions on a container. */
export const containerActions = Object.keys(rules) as readonly ContainerAction[];

/** Why an action on a container is not legal now; undefined: it is. */
export function refusalOf(action: ContainerAction, facts: ContainerFacts): Refusal | undefined {
  const { alone, condition }: Rule = rules[action];
  if (alone && facts.operation) {
    return { code: "busy", sentence: busySentence(facts.name, facts.operation) };
  }
  const sentence = condition?.(facts);
  return sentence === undefined ? undefined : { code: "state", sentence };
}

/** Why an action on a guest is not legal; undefined: it is. `engine`: its state, in lower case. */
export function guestRefusalOf(action: GuestAction, guest: string, engine: string): string | undefined {
  const isUp = engine === "running";
  if (action === "start-engine") {
    if (isUp) return `the engine of guest ${guest} is running already`;
    return engine === "starting" ? `the engine of guest ${guest} is starting` : undefined;
  }
  if (isUp) return undefined;
  if (engine === "starting") return `the engine of guest ${guest} is starting; wait until it runs`;
  return `the engine of guest ${guest} does not run; start it first (on its machine: tremplin up)`;
}

/** All actions on a guest. */
export const guestActions: readonly GuestAction[] = ["start-engine", "create", "import"];

/** Refuses what needs a container, or the engine (with an empty name), for itself. */
export function busySentence(container: string, { kind, startedAt, obstacle }: BusyWith): string {
  const what = container ? `container ${container}` : "the engine";
  const since = startedAt === undefined ? "" : ` since ${new Date(startedAt).toISOString()}`;
  const why = obstacle ? ` (${obstacle})` : "";
  return `${what} is busy: operation "${kind}" is under way${since}${why}; wait for its end and try again`;
}

/** The refusal for a container whose upgrade cannot be rolled back. */
export function noRollbackSnapshot(name: string): string {
  return `there is no snapshot of ${name} from before an upgrade: none was taken in the last seven days, or it was deleted`;
}

function frozenSentence(name: string): string {
  return `${name} is frozen: stop it, or unfreeze it with the engine's own command line`;
}

function notCancellable({ name, operation }: ContainerFacts): string | undefined {
  if (!operation) return `no operation is under way on ${name}`;
  if (cancellable.includes(operation.kind)) return undefined;
  return `the operation "${operation.kind}" on ${name} cannot be cancelled; wait for its end`;
}
