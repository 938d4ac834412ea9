import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { fingerprintOf } from "../../../src/engine/resources/images.ts";
import type { Bench } from "../engine-behaviour.ts";
import { tarBytes } from "../tar-bytes.ts";
import { withCode } from "../with-code.ts";

const metadata = "architecture: x86_64\ncreation_date: 1700000000\nproperties: {os: made, mark: own}\n";

/** An image of one file, that holds this text. */
function file(text: string): Buffer {
  const members = [
    { name: "metadata.yaml", content: metadata },
    { name: "rootfs/", type: "5" },
    { name: "rootfs/etc/", type: "5" },
    { name: "rootfs/etc/text", content: text },
  ];
  return tarBytes(members);
}

/** Images: uploaded, named, made of snapshots and deleted. Profiles and pools, as far as anything asks for them. */
export function imageBehaviour(bench: () => Bench): void {
  test("an image is uploaded with properties; the same again is there already", async () => {
    const { engine, hands } = bench();
    const upload = () =>
      engine.images.upload("own.tar", Readable.from([file("first")]), { properties: { "our-mark": "a b" } });
    const { fingerprint, existed } = await upload();
    assert.equal(existed, false);
    const image = await engine.images.get(fingerprint);
    assert.deepEqual(image.properties, { os: "made", mark: "own", "our-mark": "a b" });
    assert.deepEqual([image.size, image.cached, image.aliases ?? []], [file("first").length, false, []]);
    assert.deepEqual(await upload(), { fingerprint, existed: true });
    const { config } = await hands.create("of-own", { source: { type: "image", fingerprint } });
    assert.equal(config["image.our-mark"], "a b");
    assert.equal(await hands.read("of-own", "/etc/text"), "first");
    await hands.delete("of-own");
    await engine.images.delete(fingerprint);
    assert.ok((await engine.images.list()).every((each) => each.fingerprint !== fingerprint));
    await assert.rejects(engine.images.get(fingerprint), withCode("not-found"));
    await assert.rejects(engine.images.delete(fingerprint), withCode("not-found"));
  });

  test("what is no image makes the upload fail and leaves nothing", async () => {
    const { engine } = bench();
    const before = await engine.images.list();
    await assert.rejects(
      engine.images.upload("x", Readable.from([Buffer.alloc(4096, "x")])),
      withCode("failed"),
    );
    assert.equal((await engine.images.list()).length, before.length);
    assert.deepEqual(await engine.operations.uploads(), []);
  });

  test("names of images are given once, and taken away", async () => {
    const { engine, image } = bench();
    await engine.images.addAlias("called", image);
    await assert.rejects(engine.images.addAlias("called", image), withCode("exists"));
    assert.equal(await engine.images.resolve("called"), image);
    const { aliases } = await engine.images.get(image);
    assert.ok(aliases?.some(({ name }) => name === "called"));
    await engine.images.deleteAlias("called");
    await assert.rejects(engine.images.resolve("called"), withCode("not-found"));
  });

  test("an image is made of a snapshot under a name, and fetched", async () => {
    const { engine, hands } = bench();
    await hands.create("published");
    await hands.snapshot("published", "s1");
    const request = {
      instance: "published",
      snapshot: "s1",
      alias: "made-of-it",
      properties: { mark: "yes" },
    };
    const publishing = await engine.images.publish(request);
    const fingerprint = fingerprintOf(await publishing.wait());
    assert.equal(await engine.images.resolve("made-of-it"), fingerprint);
    const { size, properties } = await engine.images.get(fingerprint);
    assert.equal(properties.mark, "yes");
    const fetched = await buffer(await engine.images.download(fingerprint));
    assert.equal(fetched.length, size);
    assert.ok(fetched.includes("metadata.yaml"));
    await engine.images.delete(fingerprint);
    await assert.rejects(engine.images.resolve("made-of-it"), withCode("not-found"));
    await hands.delete("published");
  });
}

/** Profiles and pools. */
export function profileBehaviour(bench: () => Bench): void {
  test("profiles and pools are read and changed; a taken name is another error than a missing one", async () => {
    const { engine } = bench();
    await engine.profiles.create({ name: "extra", config: { "user.a": "1" } });
    await engine.profiles.update("extra", (profile) => ({ ...profile, description: "changed" }));
    const { description, config } = (await engine.profiles.get("extra")).value;
    assert.deepEqual({ description, config }, { description: "changed", config: { "user.a": "1" } });
    await assert.rejects(engine.profiles.create({ name: "extra" }), withCode("exists"));
    await engine.profiles.delete("extra");
    await assert.rejects(engine.pools.create({ name: "default", driver: "dir" }), withCode("exists"));
    await assert.rejects(engine.profiles.get("extra"), withCode("not-found"));
    await assert.rejects(engine.pools.get("nowhere"), withCode("not-found"));
    await assert.rejects(engine.networks.get("nowhere"), withCode("not-found"));
    const { space } = await engine.pools.resources("default");
    assert.ok(space.total > space.used && space.used > 0);
  });
}
