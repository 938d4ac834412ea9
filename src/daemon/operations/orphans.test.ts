import assert from "node:assert/strict";
import { test } from "node:test";
import type { Image } from "../../engine/resources/images.ts";
import type { FullInstance } from "../../engine/resources/instance.ts";
import { findOrphans } from "./orphans.ts";

const NOW = Date.parse("2026-01-10T00:00:00Z");
const NEVER = "0001-01-01T00:00:00Z";
const [OLD, NEW, OPEN] = ["0011aabb", "00112233445566aa", "ffffffffffffffff"] as const;

function instance(name: string, snapshots: Record<string, string> | null = null): FullInstance {
  const all =
    snapshots && Object.entries(snapshots).map(([each, expires_at]) => ({ name: each, expires_at }));
  return { name, type: "container", created_at: NEVER, snapshots: all } as unknown as FullInstance;
}

function image(fingerprint: string, properties: Record<string, string> | null): Image {
  return { fingerprint, properties, uploaded_at: NEVER } as unknown as Image;
}

test("an orphan has a name or a mark of an operation and belongs to no open one", () => {
  const instances = [
    instance(`tremplin-create-${OLD}`),
    instance(`tremplin-import-${NEW}`),
    instance(`tremplin-aside-${NEW}`),
    instance(`tremplin-create-${OPEN}`),
    instance("rootfs-import"),
    instance("tremplin-create-mine"),
    { ...instance(`tremplin-create-${NEW}`), type: "virtual-machine" as const },
    instance("web", {
      [`tremplin-remap-${OLD}`]: NEVER,
      [`tremplin-export-${NEW}`]: NEVER,
      [`tremplin-export-${OPEN}`]: NEVER,
      [`tremplin-upgrade-${OLD}`]: "2026-01-12T00:00:00Z",
      [`tremplin-upgrade-${NEW}`]: NEVER,
      "tremplin-upgrade-notes": NEVER,
      "tremplin-export-0011aabbc": NEVER,
      "before the party": NEVER,
    }),
  ];
  const images = [
    image("f1", { "tremplin-operation": NEW }),
    image("f2", { "tremplin-operation": OPEN }),
    image("f3", { os: "debian" }),
    image("f4", null),
  ];
  const found = findOrphans({ instances, images }, new Set([OPEN]), NOW);
  assert.deepEqual(
    found.map(({ kind, container, name, operation }) => [kind, container, name, operation]),
    [
      ["container", "", `tremplin-create-${OLD}`, OLD],
      ["container", "", `tremplin-import-${NEW}`, NEW],
      ["replaced", "", `tremplin-aside-${NEW}`, NEW],
      ["container", "", "rootfs-import", undefined],
      ["snapshot", "web", `tremplin-remap-${OLD}`, OLD],
      ["snapshot", "web", `tremplin-export-${NEW}`, NEW],
      ["snapshot", "web", `tremplin-upgrade-${NEW}`, NEW],
      ["image", "", "f1", NEW],
    ],
  );
});
