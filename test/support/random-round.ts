import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { TestDaemon } from "./daemon.ts";
import { eventually } from "./eventually.ts";
import { type Between, type Ended, findLeft, findLosses } from "./random-check.ts";
import { type RandomEnvironment, SLOTS } from "./random-environment.ts";
import { RandomRequests, type RequestKind, type SentRequest } from "./random-requests.ts";
import { RandomSharedFolder } from "./random-shared-folder.ts";
import type { RandomSource } from "./random-source.ts";
import type { ActionKind, Actions, RandomUser } from "./random-user.ts";
import { execute } from "./system-state.ts";

/** The number in the final message of a kind that says that it was done. */
const DONE: Record<RequestKind, number> = {
  create: 2,
  start: 1,
  stop: 1,
  delete: 1,
  export: 1,
  import: 1,
  undo: 2,
  keep: 2,
};
/** What the journal calls the kinds. */
const JOURNAL_KINDS: Partial<Record<RequestKind, string>> = { undo: "undo-upgrade", keep: "keep-upgrade" };
/** Within how many milliseconds of the requests things are killed. */
const SOON = [30, 150, 400, 900];

export interface RoundTools {
  readonly daemon: TestDaemon;
  readonly environment: RandomEnvironment;
  readonly user: RandomUser;
  readonly random: RandomSource;
  readonly tell: (line: string) => void;
}

/** Requests, a kill, a user, and the return. Gives what is wrong afterwards, a sentence each. */
export async function randomRound({
  daemon,
  environment,
  user,
  random,
  tell,
}: RoundTools): Promise<string[]> {
  const shared = new RandomSharedFolder(daemon.shared, random, tell);
  const work = new RandomRequests(daemon, random, { shared, tell });
  await environment.prepare(random, user, await environment.readState());
  const slots = SLOTS.filter(() => random.chance(0.85));
  const found = (await environment.readState()).containers;
  const plans: (() => Promise<SentRequest>)[] = [];
  for (const slot of slots)
    plans.push(
      await work.plan(
        slot,
        found.find(({ name }) => name === slot),
      ),
    );
  const start = await environment.readState();
  const sent = Promise.all(plans.map((send) => send()));
  if (!random.chance(0.15)) await sent;
  await delay(random.below(random.pick(SOON)));
  if (random.chance(0.25)) await Promise.all((await sent).map((each) => work.cancel(each)));
  tell(`  kill: ${await environment.fault(random)}${environment.isHostAway ? ", and the host is away" : ""}`);
  const works = await sent;
  await findIds(works, environment);

  const acts: Actions = new Map();
  const touched = new Set<string>();
  let before = start;
  let isCleanUp = false;
  let open: readonly SentRequest[] = works;
  if (!daemon.isRunning && (await environment.isEngineThere())) {
    await actByHand(works, { daemon, environment, user, random, tell }, { shared, acts, touched });
    isCleanUp = true;
    const ids = new Set((await environment.openOperations()).map(({ id }) => id));
    open = works.filter(({ id }) => id !== undefined && ids.has(id));
    before = await environment.readState();
    tell(`  open: ${open.map(({ kind, container }) => `${kind} ${container}`).join(", ") || "nothing"}`);
  }
  await environment.restartAll(random);
  await environment.engineRests();
  const after = await environment.readState();
  const between = { before, after, acts, touched, isCleanUp };
  const problems = [
    ...(await findWrongEnds(works, daemon)),
    ...findLosses({ ...between, works: open.map((each) => ended(each, daemon)) }),
    ...(await findUntruths({ ...between, works: works.map((each) => ended(each, daemon)) }, daemon)),
    ...findLeft(after, ({ name, uuid }) => isSomebodys(name, acts.get(uuid))),
    ...(await environment.stateLeft()).map((name) => `STATE/${name} is left`),
  ];
  await environment.clear(random, user, after);
  return problems;
}

/** A copy has whatever its source had; what a user goes on with is left even under a name of ours. */
function isSomebodys(name: string, did: ReadonlySet<ActionKind> | undefined): boolean {
  if (did === undefined) return name.startsWith("copy-");
  return name.startsWith("copy-") || did.has("again") || did.has("back") || name.startsWith("tremplin-");
}

/** Where the daemon died before it answered, the journal knows which operation it was. */
async function findIds(works: readonly SentRequest[], environment: RandomEnvironment): Promise<void> {
  const entries = await environment.openOperations();
  for (const each of works.filter(({ isUnknown }) => isUnknown)) {
    const kind = JOURNAL_KINDS[each.kind] ?? each.kind;
    const entry = entries.find((one) => one.container === each.container && one.kind === kind);
    each.id = entry && String(entry.id);
  }
}

async function actByHand(
  works: readonly SentRequest[],
  { environment, user, random, tell }: RoundTools,
  { shared, acts, touched }: { shared: RandomSharedFolder; acts: Actions; touched: Set<string> },
): Promise<void> {
  if (random.chance(0.6)) await environment.engineRests();
  for (let left = random.below(8); left > 0; left--) {
    const { containers } = await environment.readState();
    const candidates = containers.filter(
      ({ name, status }) => status !== "Error" && (SLOTS.includes(name) || name.startsWith("tremplin-")),
    );
    const free = SLOTS.filter((slot) => !containers.some(({ name }) => name === slot));
    if (free.length > 0 && random.chance(0.3)) await user.make(random.pick(free));
    else if (candidates.length > 0) await user.act(random.pick(candidates), acts);
  }
  if (random.chance(0.2)) await user.editProfile();
  for (const { target } of works) {
    if (target === undefined || random.chance(0.4)) continue;
    touched.add(target);
    await shared.act(target);
  }
  await environment.engineRests();
  tell(`  by user: all of that`);
}

function finalsOf(id: string | undefined, { listener }: TestDaemon) {
  const all = listener.notices.filter(
    ({ final, headers }) => final && headers.get("tremplin-operation") === id,
  );
  return [...new Map(all.map((each) => [each.headers.get("tremplin-notice"), each])).values()];
}

function ended(work: SentRequest, daemon: TestDaemon): Ended {
  const final = work.id === undefined ? undefined : finalsOf(work.id, daemon)[0];
  const isDone = final !== undefined && "status" in final.message && final.message.status === DONE[work.kind];
  return { ...work, isDone };
}

async function findWrongEnds(works: readonly SentRequest[], daemon: TestDaemon): Promise<string[]> {
  const problems: string[] = [];
  for (const { kind, container, id } of works) {
    if (id === undefined) continue;
    const count = (): number => finalsOf(id, daemon).length;
    await eventually("a final notice", async () => count() > 0 || undefined).catch(() => undefined);
    if (count() !== 1) problems.push(`${kind} ${container} ${id} has ${count()} final notices`);
  }
  return problems;
}

/** Whether what was said to be done is so, where nobody else did anything about it. */
async function findUntruths(
  { after, works, acts, touched, isCleanUp }: Between,
  daemon: TestDaemon,
): Promise<string[]> {
  const problems: string[] = [];
  for (const work of works) {
    const { kind, container, uuid, target, isDone } = work;
    if (!isDone) continue;
    const now = after.containers.find(({ name }) => name === container);
    const isLeftAlone = !isCleanUp || acts.size === 0;
    const wanted: Partial<Record<RequestKind, string>> = { start: "Running", stop: "Stopped" };
    const state = wanted[kind];
    if (isLeftAlone && state && now?.status !== state) {
      problems.push(`${kind} ${container} was done, and it is ${now?.status ?? "gone"}`);
    }
    if (kind === "delete" && isLeftAlone && now && now.uuid === uuid) {
      problems.push(`${container} was deleted and is there`);
    }
    if ((kind === "create" || kind === "import") && isLeftAlone && !now) {
      problems.push(`${kind} ${container} was done and it is not there`);
    }
    if (target !== undefined && !touched.has(target)) {
      await execute("gzip", ["-t", join(daemon.shared, target)]).catch(() =>
        problems.push(`the export ${target} was done and is no whole file`),
      );
    }
  }
  return problems;
}
