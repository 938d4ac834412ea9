import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MmdebstrapProgress } from "./mmdebstrap-progress.ts";

const build = [
  "I: running apt-get update...",
  "Get:1 http://mirror.example/debian bookworm InRelease [151 kB]",
  "I: downloading packages with apt...",
  "0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.",
  "Get:1 http://mirror.example/debian bookworm/main amd64 gcc-12-base amd64 12.2.0-14 [37.5 kB]",
  "Get:2 http://mirror.example/debian bookworm/main amd64 libc6 amd64 2.36-9 [2758 kB]",
  "I: extracting archives...",
  "I: installing essential packages...",
  "Unpacking gcc-12-base:amd64 (12.2.0-14) ...",
  "Unpacking libc6:amd64 (2.36-9) ...",
  "Setting up gcc-12-base:amd64 (12.2.0-14) ...",
  "Setting up libc6:amd64 (2.36-9) ...",
  "I: installing remaining packages inside the chroot...",
  "0 upgraded, 1 newly installed, 0 to remove and 0 not upgraded.",
  "Get:1 http://mirror.example/debian bookworm/main amd64 less amd64 590-2 [131 kB]",
  "Unpacking less (590-2) ...",
  "Setting up less (590-2) ...",
  "I: cleaning package lists and apt cache...",
];

test("each stage and each package is reported with a growing percentage", () => {
  const progress = new MmdebstrapProgress();
  const reported = build.flatMap((line) => progress.read(line) ?? []);
  assert.deepEqual(
    reported.map(({ message, percent }) => `${percent} ${message}`),
    [
      "0 Reading the package lists",
      "8 Downloading",
      "11 Downloading gcc-12-base",
      "14 Downloading libc6",
      "14 Unpacking the first packages",
      "24 Installing",
      "30 Installing gcc-12-base",
      "37 Installing libc6",
      "43 Installing gcc-12-base",
      "50 Installing libc6",
      "50 Installing",
      "61 Installing less",
      "73 Installing less",
      "85 Installing less",
      "85 Cleaning up",
    ],
  );
});

test("a stage ends at its last percent also without downloads", () => {
  const progress = new MmdebstrapProgress();
  const reported = build.filter((line) => !line.startsWith("Get:")).map((line) => progress.read(line));
  assert.deepEqual(reported.at(-2), { message: "Installing less", percent: 85 });
});

test("no output makes the percentage fall or leave the range 0 to 100", () => {
  const line = fc.oneof(fc.constantFrom(...build), fc.string());
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const progress = new MmdebstrapProgress();
      let last = 0;
      for (const { percent } of lines.flatMap((each) => progress.read(each) ?? [])) {
        assert.ok(percent >= last && percent <= 100, `${last} was followed by ${percent}`);
        last = percent;
      }
    }),
  );
});
