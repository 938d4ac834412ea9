import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { execute } from "./belongings.ts";
import type { TestDaemon } from "./daemon.ts";
import { eventually } from "./eventually.ts";
import { type Between, type Ended, findLeft, findLosses } from "./random-check.ts";
import { type RandomGround, SLOTS } from "./random-ground.ts";
import type { ActKind, Acts, RandomHand } from "./random-hand.ts";
import { RandomShared } from "./random-shared.ts";
import type { RandomSource } from "./random-source.ts";
import { RandomWork, type Work, type WorkKind } from "./random-work.ts";

/** The number in the final message of a kind that says that it was done. */
const DONE: Record<WorkKind, number> = {
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
const JOURNAL_KINDS: Partial<Record<WorkKind, string>> = { undo: "undo-upgrade", keep: "keep-upgrade" };
/** Within how many milliseconds of the requests things are killed. */
const SOON = [30, 150, 400, 900];

export interface RoundTools {
  readonly daemon: TestDaemon;
  readonly ground: RandomGround;
  readonly hand: RandomHand;
  readonly random: RandomSource;
  readonly tell: (line: string) => void;
}

/** Requests, a kill, a person, and the return. Gives what is wrong afterwards, a sentence each. */
export async function randomRound({ daemon, ground, hand, random, tell }: RoundTools): Promise<string[]> {
  const shared = new RandomShared(daemon.shared, random, tell);
  const work = new RandomWork(daemon, random, { shared, tell });
  await ground.prepare(random, hand, await ground.photo());
  const slots = SLOTS.filter(() => random.chance(0.85));
  const found = (await ground.photo()).containers;
  const plans: (() => Promise<Work>)[] = [];
  for (const slot of slots)
    plans.push(
      await work.plan(
        slot,
        found.find(({ name }) => name === slot),
      ),
    );
  const start = await ground.photo();
  const sent = Promise.all(plans.map((send) => send()));
  if (!random.chance(0.15)) await sent;
  await delay(random.below(random.pick(SOON)));
  if (random.chance(0.25)) await Promise.all((await sent).map((each) => work.cancel(each)));
  tell(`  kill: ${await ground.fault(random)}${ground.isHostAway ? ", and the host is away" : ""}`);
  const works = await sent;
  await findIds(works, ground);

  const acts: Acts = new Map();
  const touched = new Set<string>();
  let before = start;
  let isCleanUp = false;
  let open: readonly Work[] = works;
  if (!daemon.isRunning && (await ground.isEngineThere())) {
    await actByHand(works, { daemon, ground, hand, random, tell }, { shared, acts, touched });
    isCleanUp = true;
    const ids = new Set((await ground.openOperations()).map(({ id }) => id));
    open = works.filter(({ id }) => id !== undefined && ids.has(id));
    before = await ground.photo();
    tell(`  open: ${open.map(({ kind, container }) => `${kind} ${container}`).join(", ") || "nothing"}`);
  }
  await ground.comeBack(random);
  await ground.engineRests();
  const after = await ground.photo();
  const between = { before, after, acts, touched, isCleanUp };
  const problems = [
    ...(await findWrongEnds(works, daemon)),
    ...findLosses({ ...between, works: open.map((each) => ended(each, daemon)) }),
    ...(await findUntruths({ ...between, works: works.map((each) => ended(each, daemon)) }, daemon)),
    ...findLeft(after, ({ name, uuid }) => isSomebodys(name, acts.get(uuid))),
    ...(await ground.stateLeft()).map((name) => `STATE/${name} is left`),
  ];
  await ground.clear(random, hand, after);
  return problems;
}

/** A copy has whatever its source had; what a person goes on with is left even under a name of ours. */
function isSomebodys(name: string, did: ReadonlySet<ActKind> | undefined): boolean {
  if (did === undefined) return name.startsWith("copy-");
  return name.startsWith("copy-") || did.has("again") || did.has("back") || name.startsWith("tremplin-");
}

/** Where the daemon died before it answered, the journal knows which operation it was. */
async function findIds(works: readonly Work[], ground: RandomGround): Promise<void> {
  const entries = await ground.openOperations();
  for (const each of works.filter(({ isUnknown }) => isUnknown)) {
    const kind = JOURNAL_KINDS[each.kind] ?? each.kind;
    const entry = entries.find((one) => one.container === each.container && one.kind === kind);
    each.id = entry && String(entry.id);
  }
}

async function actByHand(
  works: readonly Work[],
  { ground, hand, random, tell }: RoundTools,
  { shared, acts, touched }: { shared: RandomShared; acts: Acts; touched: Set<string> },
): Promise<void> {
  if (random.chance(0.6)) await ground.engineRests();
  for (let left = random.below(8); left > 0; left--) {
    const { containers } = await ground.photo();
    const candidates = containers.filter(
      ({ name, status }) => status !== "Error" && (SLOTS.includes(name) || name.startsWith("tremplin-")),
    );
    const free = SLOTS.filter((slot) => !containers.some(({ name }) => name === slot));
    if (free.length > 0 && random.chance(0.3)) await hand.make(random.pick(free));
    else if (candidates.length > 0) await hand.act(random.pick(candidates), acts);
  }
  if (random.chance(0.2)) await hand.editProfile();
  for (const { target } of works) {
    if (target === undefined || random.chance(0.4)) continue;
    touched.add(target);
    await shared.act(target);
  }
  await ground.engineRests();
  tell(`  by hand: all of that`);
}

function finalsOf(id: string | undefined, { listener }: TestDaemon) {
  const all = listener.notices.filter(
    ({ final, headers }) => final && headers.get("tremplin-operation") === id,
  );
  return [...new Map(all.map((each) => [each.headers.get("tremplin-notice"), each])).values()];
}

function ended(work: Work, daemon: TestDaemon): Ended {
  const final = work.id === undefined ? undefined : finalsOf(work.id, daemon)[0];
  const isDone = final !== undefined && "status" in final.message && final.message.status === DONE[work.kind];
  return { ...work, isDone };
}

async function findWrongEnds(works: readonly Work[], daemon: TestDaemon): Promise<string[]> {
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
    const wanted: Partial<Record<WorkKind, string>> = { start: "Running", stop: "Stopped" };
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
