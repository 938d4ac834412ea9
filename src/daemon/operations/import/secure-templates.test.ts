import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryEngine } from "../../../../test/support/memory-engine/memory-engine.ts";
import { tarBytes } from "../../../../test/support/tar-bytes.ts";
import { silentLogger } from "../../../base/logger.ts";
import { secureTemplates } from "./secure-templates.ts";

const targets = ["/etc/hostname", "/etc/hosts", "/etc/way/file", "/new/folder/file"];
const metadata = `architecture: x86_64
creation_date: 1700000000
properties: {}
templates:
${targets.map((target) => `  ${target}: {when: [create], template: text.tpl}`).join("\n")}
`;

test("templates go whose path has a link in the unpacked files, whatever the archive called it", async () => {
  await using memory = await MemoryEngine.open();
  await using engine = await memory.connect();
  const fingerprint = memory.addImage({
    metadata: tarBytes([
      { name: "metadata.yaml", content: metadata },
      { name: "templates/text.tpl", content: "text" },
    ]),
    rootfs: tarBytes([{ name: "etc/hostname", content: "c1" }]),
  });
  const { signal } = new AbortController();
  const source = { type: "image", fingerprint } as const;
  await (await engine.instances.create({ name: "c1", source })).wait();
  const { files } = memory.instance("c1");
  files.link("/etc/hosts", "/etc/shadow");
  files.link("/etc/way", "/etc");
  await secureTemplates(engine, "c1", targets, { signal, log: silentLogger });
  const { value } = await engine.instances.metadata("c1");
  assert.deepEqual(Object.keys(value.templates ?? {}), ["/etc/hostname", "/new/folder/file"]);
});
