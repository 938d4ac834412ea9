import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { debianRelease } from "./debian-releases.ts";
import { lxdMetadata, templates } from "./lxd-metadata.ts";

test("values are read correctly, also by the rules of YAML 1.1", () => {
  const created = new Date("2026-03-04T05:06:07Z");
  const text = lxdMetadata(debianRelease("bookworm"), { debian: "arm64", engine: "aarch64" }, created);
  for (const version of ["1.1", "1.2"] as const) {
    const metadata = parse(text, { version });
    assert.equal(metadata.architecture, "aarch64");
    assert.equal(metadata.creation_date, 1772600767);
    assert.deepEqual(metadata.properties, {
      architecture: "arm64",
      description: "Debian bookworm arm64 (20260304_05:06)",
      name: "debian-bookworm-arm64-20260304_05:06",
      os: "Debian",
      release: "bookworm",
      serial: "20260304_05:06",
      type: "container",
      variant: "default",
      version: "12",
    });
  }
});

test("every template in the metadata exists", () => {
  const text = lxdMetadata(debianRelease("trixie"), { debian: "amd64", engine: "x86_64" }, new Date(0));
  const named = Object.values(parse(text).templates as Record<string, { template: string }>);
  assert.deepEqual(named.map(({ template }) => template).sort(), Object.keys(templates).sort());
});

test("an unknown release is refused, and the error lists the known ones", () => {
  assert.throws(() => debianRelease("../sid"), /"..\/sid" .* bullseye, bookworm, trixie/);
});
