import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { letAnybodyBeNobody } from "../let-anybody-be-nobody.ts";
import { OperationBench } from "../operation-bench.ts";
import { type RawMember, tarBytes } from "../tar-bytes.ts";

const metadata = `architecture: x86_64
creation_date: 1700000000
properties: {os: tiny}
templates: {/etc/hostname: {template: hostname.tpl}}
`;

let count = 0;

/** The members of a backup of which no two are the same, so that no two imports share an image. */
export function backupMembers(text = metadata): RawMember[] {
  return [
    { name: "metadata.yaml", content: text },
    { name: "rootfs/", type: "5" },
    { name: "rootfs/etc/", type: "5" },
    { name: "rootfs/etc/precious", content: `backup ${++count}` },
    { name: "templates/", type: "5" },
    { name: "templates/hostname.tpl", content: "{{ container.name }}" },
  ];
}

/** A bench with a running container c1, and a backup to import in its place. */
export async function importBench(): Promise<OperationBench> {
  await letAnybodyBeNobody();
  const bench = await OperationBench.open();
  await writeFile(join(bench.shared, "backup.tar"), tarBytes(backupMembers()));
  await bench.actions.create("c1");
  await bench.actions.write("c1", "/etc/precious", "old");
  await bench.actions.act("c1", "start");
  return bench;
}

/** All containers: name, state and what is precious in them. */
export function containers({ engine }: OperationBench): string[] {
  return [...engine.holdings.instances.values()]
    .map(({ name, status, files }) => `${name} ${status} ${files.read("/etc/precious")?.split(" ")[0]}`)
    .sort();
}
