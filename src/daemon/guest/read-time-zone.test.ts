import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { MemoryEngine } from "../../../test/support/memory-engine/memory-engine.ts";
import { readTimeZone } from "./read-time-zone.ts";

interface Setup {
  readonly links?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly variable?: string;
}

async function zoneOf(t: TestContext, { links = {}, files = {}, variable }: Setup): Promise<string> {
  const memory = await MemoryEngine.open();
  const engine = await memory.connect();
  t.after(async () => {
    await engine[Symbol.asyncDispose]();
    await memory[Symbol.asyncDispose]();
  });
  const config: Record<string, string> = variable === undefined ? {} : { "environment.TZ": variable };
  await (await engine.instances.create({ name: "c1", source: { type: "none" }, config })).wait();
  const record = memory.instance("c1");
  record.files.makeFolder("/etc");
  for (const [path, text] of Object.entries(files)) record.files.write(path, text);
  for (const [path, target] of Object.entries(links)) record.files.link(path, target);
  const { value } = await engine.instances.get("c1");
  return await readTimeZone(engine, value, new AbortController().signal);
}

const LOCAL = "/etc/localtime";

for (const [what, setup, zone] of [
  ["the link", { links: { [LOCAL]: "/usr/share/zoneinfo/Asia/Kolkata" } }, "Asia/Kolkata"],
  ["a relative link that leads nowhere", { links: { [LOCAL]: "../usr/share/zoneinfo/UTC" } }, "UTC"],
  [
    "the file with the name",
    { files: { "/etc/timezone": "Europe/Paris\n", [LOCAL]: "TZif2" } },
    "Europe/Paris",
  ],
  ["the variable", { variable: "CET-1CEST,M3.5.0,M10.5.0/3" }, "CET-1CEST,M3.5.0,M10.5.0/3"],
  ["nothing", {}, "Etc/UTC"],
  ["a zone without a name", { files: { [LOCAL]: "TZif2" } }, ""],
  ["hostile text", { files: { "/etc/timezone": "\u001b[31m", [LOCAL]: "TZif2" } }, ""],
] as const) {
  test(`the time zone of a container by ${what}`, async (t) => {
    assert.equal(await zoneOf(t, setup), zone);
  });
}
