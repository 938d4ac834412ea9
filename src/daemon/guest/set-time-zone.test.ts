import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { MemoryEngine } from "../../../test/support/memory-engine/memory-engine.ts";
import { setTimeZone } from "./set-time-zone.ts";

const ZONES = "/usr/share/zoneinfo";
const LOCAL = "/etc/localtime";
const rule = "IST-5:30";

interface Setup {
  /** The zones that it has a file for. */
  readonly zones?: readonly string[];
  readonly links?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly running?: boolean;
}

/** A container in an engine in memory, and the zones that its timedatectl was asked for. */
async function container(t: TestContext, { zones = [], links = {}, files = {}, running }: Setup) {
  const memory = await MemoryEngine.open();
  const engine = await memory.connect();
  t.after(async () => {
    await engine[Symbol.asyncDispose]();
    await memory[Symbol.asyncDispose]();
  });
  await (await engine.instances.create({ name: "c1", source: { type: "none" } })).wait();
  const record = memory.instance("c1");
  for (const zone of zones) record.files.write(`${ZONES}/${zone}`, "TZif2");
  for (const [path, text] of Object.entries(files)) record.files.write(path, text);
  for (const [path, target] of Object.entries(links)) record.files.link(path, target);
  record.files.makeFolder("/etc");
  if (running) record.status = "Running";
  const asked: (string | undefined)[] = [];
  memory.execute = ({ command }) => {
    asked.push(command.at(-1));
    return {};
  };
  return {
    asked,
    link: () => record.files.get(LOCAL)?.content.toString(),
    name: () => record.files.read("/etc/timezone"),
    variable: () => record.config["environment.TZ"],
    set: async (name: string, posix = "") => {
      const { value } = await engine.instances.get("c1");
      return await setTimeZone(engine, value, { name, posix }, new AbortController().signal);
    },
  };
}

test("a former name becomes the one that the container has, by its own database", async (t) => {
  const c1 = await container(t, {
    zones: ["Asia/Kolkata"],
    files: { [`${ZONES}/tzdata.zi`]: "L Asia/Kolkata Asia/Calcutta\n" },
  });
  assert.equal(await c1.set("Asia/Calcutta", rule), "");
  assert.deepEqual([c1.link(), c1.name()], [`${ZONES}/Asia/Kolkata`, "Asia/Kolkata\n"]);
  assert.equal(c1.variable(), undefined);
});

test("a new name becomes the former one in a container with an old database", async (t) => {
  const c1 = await container(t, {
    zones: ["Europe/Kiev"],
    files: { [`${ZONES}/tzdata.zi`]: "L Europe/Kyiv Europe/Kiev\n" },
  });
  assert.equal(await c1.set("Europe/Kyiv"), "");
  assert.equal(c1.link(), `${ZONES}/Europe/Kiev`);
});

test("timedatectl gets the name that is there", async (t) => {
  const c1 = await container(t, {
    running: true,
    zones: ["Asia/Kolkata"],
    files: { [`${ZONES}/tzdata.zi`]: "L Asia/Kolkata Asia/Calcutta\n" },
  });
  assert.equal(await c1.set("Asia/Calcutta"), "");
  assert.deepEqual(c1.asked, ["Asia/Kolkata"]);
});

test("a link between zones is followed to the file", async (t) => {
  const c1 = await container(t, {
    zones: ["Asia/Kolkata"],
    links: { [`${ZONES}/Asia/Calcutta`]: "Kolkata" },
  });
  assert.equal(await c1.set("Asia/Calcutta"), "");
  assert.equal(c1.link(), `${ZONES}/Asia/Calcutta`);
});

for (const [what, links] of [
  ["at once", { [`${ZONES}/Mine`]: LOCAL }],
  ["by a relative link", { [`${ZONES}/Mine`]: "../../../etc/localtime" }],
  ["over another link", { [`${ZONES}/Mine`]: "Other", [`${ZONES}/Other`]: `/etc/../etc/localtime` }],
] as const) {
  test(`a zone that leads to /etc/localtime ${what} makes no loop of it`, async (t) => {
    const there = { [LOCAL]: `${ZONES}/UTC` };
    const c1 = await container(t, { running: true, zones: ["UTC"], links: { ...links, ...there } });
    await assert.rejects(c1.set("Mine"), /zoneinfo\/Mine in it is not a time zone/);
    assert.deepEqual([c1.link(), c1.asked], [`${ZONES}/UTC`, []]);
  });
}

test("a file beside the zones is none", async (t) => {
  const c1 = await container(t, { files: { [`${ZONES}/README`]: "not a zone" } });
  await assert.rejects(c1.set("README"), /zoneinfo\/README in it is not a time zone/);
  assert.equal(c1.link(), undefined);
});

test("without the zone only TZ is set, and that is said", async (t) => {
  const c1 = await container(t, { zones: ["UTC"] });
  const remark = await c1.set("Asia/Tokyo", "JST-9");
  assert.match(remark, /^in c1 only programs .* time zone Asia\/Tokyo .*it has no file .*tzdata/);
  assert.equal(c1.variable(), "JST-9");
  assert.equal(await c1.set("UTC"), "");
  assert.equal(c1.variable(), undefined);
});
