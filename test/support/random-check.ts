import { isDeepStrictEqual } from "node:util";
import type { SentRequest } from "./random-requests.ts";
import type { ContainerState, FileState, ObservedState } from "./random-state.ts";
import type { Actions } from "./random-user.ts";

/** A request that was under way, and how it ended. */
export interface Ended extends SentRequest {
  readonly isDone: boolean;
}

/** What lies between two states. */
export interface Between {
  readonly before: ObservedState;
  readonly after: ObservedState;
  /** What was under way at the first one. */
  readonly works: readonly Ended[];
  /** What a user did before the first one, since the daemon's death. */
  readonly acts: Actions;
  /** The names of the shared files that a user touched meanwhile. */
  readonly touched: ReadonlySet<string>;
  /** Whether nobody but a daemon that cleans up did anything since the first one. */
  readonly isCleanUp: boolean;
}

const OURS = /^tremplin-/;

/** What of a user's was lost or changed, a sentence each. */
export function findLosses(between: Between): string[] {
  const { before, after } = between;
  return [
    ...before.containers.flatMap((each) => lossesOf(each, between)),
    ...Object.entries(before.shared).flatMap(([name, file]) => lossOfFile(name, file, between)),
    ...(isDeepStrictEqual(before.profile, after.profile) ? [] : ["the profile changed"]),
  ];
}

/** What of ours is there at the end although nothing is under way, a sentence each. */
export function findLeft(
  { containers, images, shared }: ObservedState,
  isSomebodys: (container: ContainerState) => boolean,
): string[] {
  const theirs = containers.filter((each) => !isSomebodys(each));
  return [
    ...theirs.filter(({ name }) => OURS.test(name)).map(({ name }) => `the container ${name} is left`),
    ...theirs.flatMap(({ name, snapshots }) =>
      snapshots
        .filter((each) => /^tremplin-(remap|export)-/.test(each.name) && !each.expires)
        .map((each) => `the snapshot ${each.name} of ${name} is left`),
    ),
    ...theirs.filter(({ mark }) => mark).map(({ name, mark }) => `the mark ${mark} of ${name} is left`),
    ...theirs
      .filter(({ owners, snapshots }) => owners === "wrong" && !snapshots.some(({ expires }) => expires))
      .map(({ name }) => `the owners of the files of ${name} are wrong`),
    ...images
      .filter(({ operation }) => operation)
      .map(({ fingerprint }) => `the image ${fingerprint} is left`),
    ...Object.keys(shared)
      .filter((name) => name.startsWith(".tremplin-"))
      .map((name) => `the file ${name} is left`),
  ];
}

function lossesOf(found: ContainerState, between: Between): string[] {
  const { after, works, acts } = between;
  const on = works.filter((work) => isAbout(work, found));
  const did = acts.get(found.uuid) ?? new Set();
  const same = after.containers.filter(({ uuid }) => uuid === found.uuid);
  const now = same.find(({ name }) => name === found.name) ?? same[0];
  const title = `${found.name} (${[...did].join(", ") || "nothing by hand"}; ${on.map(({ kind, isDone }) => `${kind} ${isDone ? "done" : "failed"}`).join(", ")})`;
  const wrong =
    on.length === 0
      ? exact(found, now)
      : did.has("go-on") || did.has("again")
        ? kept(found, now)
        : asked(found, now);
  return wrong.map((each) => `${title}: ${each}`);

  function asked(before: ContainerState, now: ContainerState | undefined): string[] {
    const isSet = did.has("set");
    const isDone = (kind: SentRequest["kind"]) => on.some((work) => work.kind === kind && work.isDone);
    if (OURS.test(before.name) && !isSet) return [];
    if (!now) return !isSet && (isDone("delete") || isDone("import")) ? [] : ["it is gone"];
    const isBack = isDone("undo") && !isSet;
    return [
      ...(isSnapshotsKept(before, now) ? [] : ["snapshots are gone"]),
      ...(isBack || isDeepStrictEqual(before.files, now.files) ? [] : ["files changed"]),
      ...(isBack || isDeepStrictEqual(configOf(before), configOf(now)) ? [] : ["settings changed"]),
      ...stateLoss(before, now, on, between.isCleanUp),
    ];
  }

  function configOf({ config }: ContainerState): Record<string, string> {
    const isStarting = on.some(({ kind }) => kind === "start") && !between.isCleanUp;
    return Object.fromEntries(
      Object.entries(config).filter(([key]) => !isStarting || key !== "security.privileged"),
    );
  }
}

function stateLoss(
  before: ContainerState,
  now: ContainerState,
  on: readonly Ended[],
  isCleanUp: boolean,
): string[] {
  const kinds = new Set(on.map(({ kind }) => kind));
  const isFree = (["stop", "delete", "undo"] as const).some((kind) => kinds.has(kind));
  if (isFree || (kinds.has("start") && !isCleanUp)) return [];
  // An import that failed starts what it had stopped.
  if (kinds.has("import") && (isCleanUp || before.status === "Frozen")) return [];
  return before.status === now.status ? [] : [`it was ${before.status} and is ${now.status}`];
}

function isAbout({ container, uuid, id }: Ended, found: ContainerState): boolean {
  if (id !== undefined && found.name.endsWith(id)) return true;
  return uuid === undefined ? found.name === container : found.uuid === uuid;
}

function exact(before: ContainerState, now: ContainerState | undefined): string[] {
  if (!now) return ["it is gone"];
  return (Object.keys(before) as (keyof ContainerState)[])
    .filter((key) => !isDeepStrictEqual(before[key], now[key]))
    .map((key) => `${key} was ${JSON.stringify(before[key])} and is ${JSON.stringify(now[key])}`);
}

/** All of it, but what an operation of ours had put there. */
function kept(before: ContainerState, now: ContainerState | undefined): string[] {
  if (!now) return ["it is gone"];
  const name = OURS.test(before.name) ? now.name : before.name;
  return [
    ...exact(
      { ...before, name, mark: undefined, snapshots: [], owners: "right" },
      { ...now, mark: undefined, snapshots: [], owners: "right" },
    ),
    ...(isSnapshotsKept(before, now) ? [] : ["snapshots are gone"]),
  ];
}

function isSnapshotsKept(before: ContainerState, now: ContainerState): boolean {
  return before.snapshots
    .filter(({ name }) => !OURS.test(name))
    .every((each) => now.snapshots.some((other) => isDeepStrictEqual(each, other)));
}

function lossOfFile(name: string, file: FileState, between: Between): string[] {
  const { after, works, touched, isCleanUp } = between;
  if (name.startsWith(".tremplin-")) return [];
  const now = after.shared[name];
  if (isDeepStrictEqual(now, file)) return [];
  const exporting = works.find(({ target }) => target === name);
  if (exporting && !isCleanUp && (exporting.isDone || (file.size === 0 && now?.size === 0))) return [];
  // What was begun in an empty file that was there is taken out of it.
  if (exporting && isCleanUp && !touched.has(name) && now?.size === 0 && now.inode === file.inode) return [];
  return [
    `the shared file ${name} ${now ? `was ${JSON.stringify(file)} and is ${JSON.stringify(now)}` : "is gone"}`,
  ];
}
