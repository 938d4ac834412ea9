import type { TestContext } from "node:test";
import { COMMON_LAYOUT, COMMON_PROCESSES, COMMON_TEXTS } from "../../src/engine/flavors/common.ts";
import type { Flavor } from "../../src/engine/flavors/flavor.ts";
import { type EngineKind, flavors } from "../../src/engine/flavors/flavors.ts";

/** An engine that does not exist and that differs from the others in everything a flavor can express. */
function fakeFlavor(folder: string) {
  return {
    kind: "acme" as EngineKind,
    label: "Acme",
    program: {
      name: "acmed",
      package: "acme-server",
      folders: [folder],
      args: ["serve"],
      folderVariable: "ACME_HOME",
      environment: {},
    },
    client: { name: "acmectl", socketVariable: "ACME_SOCKET" },
    api: { headerPrefix: "X-Acme-", waitHidesOperation: true, macPrefix: "02:ac:3e" },
    texts: {
      ...COMMON_TEXTS,
      nameTaken: [/^choose another name/],
      busy: [/^come back later$/],
      cancelled: /^stopped on request$/,
      downloadProgress: /^(\w+) at (\d+) of 100$/,
      unpackStages: ["open_crate"],
      readOnlyOperation: /^Reading\b/,
      createOperation: /^Building\b/,
      defaultProfile: /^Acme default$/,
    },
    processes: {
      ...COMMON_PROCESSES,
      monitorTitle: (engineFolder: string) => `[acme monitor] ${engineFolder} `,
      fileServerPidFiles: () => [],
    },
    layout: { ...COMMON_LAYOUT, socket: "acme.sock", database: "db", networks: "nets" },
  } satisfies Flavor;
}

/** Adds a fake engine to the list of flavors until the test ends; its program is looked for in `folder`. */
export function addFakeFlavor(t: TestContext, folder = "/nowhere"): Flavor & { readonly kind: EngineKind } {
  const flavor = fakeFlavor(folder);
  const list = flavors as unknown as Flavor[];
  list.push(flavor);
  t.after(() => void list.splice(list.indexOf(flavor), 1));
  return flavor;
}
