import assert from "node:assert/strict";
import { test } from "node:test";
import type { Instance } from "../../engine/resources/instance.ts";
import { autostartOf, isToRunAgain, startOrder } from "./autostart.ts";

/** A container whose profiles say `profile`, and that says `own` itself. */
function container(
  profile: Record<string, string>,
  own: Record<string, string> = {},
  others: Partial<Instance> = {},
): Instance {
  const base = { name: "web", status_code: 102, profiles: ["default"] };
  const config = { "volatile.last_state.power": "RUNNING", ...own };
  return { ...base, config, expanded_config: { ...profile, ...config }, ...others } as Instance;
}

const [on, off] = [{ "boot.autostart": "true" }, { "boot.autostart": "false" }];
const last = { ...off, "user.tremplin.autostart": "last" };
const own = ["default", "mine"];

test("a container's own word comes first, then that of a person's profile, then the site's", () => {
  const cases = [
    // profile, own, profiles, site, what holds, started by the daemon
    [off, {}, undefined, "last", "last", true],
    [off, {}, undefined, "off", "off", false],
    [off, off, undefined, "last", "off", false],
    [off, last, undefined, "off", "last", true],
    [on, last, undefined, "on", "last", true],
    [off, on, undefined, "last", "on", false],
    [on, {}, undefined, "last", "on", false],
    [off, {}, own, "last", "off", false],
    // The engine itself does it.
    [{}, {}, undefined, "off", "last", false],
    [{}, { ...last, ...on }, undefined, "off", "on", false],
  ] as const;
  for (const [profile, config, profiles, site, holds, started] of cases) {
    const instance = container(profile, config, profiles && { profiles: [...profiles] });
    const found = [autostartOf(instance, site), isToRunAgain(instance, site)];
    assert.deepEqual(found, [holds, started], JSON.stringify({ profile, config, profiles, site }));
  }
});

test("only what ran, and does not run now, is started again", () => {
  assert.equal(isToRunAgain(container(off, { "volatile.last_state.power": "STOPPED" }), "last"), false);
  assert.equal(isToRunAgain(container(off, {}, { status_code: 103 }), "last"), false);
});

test("the highest priority is started first", () => {
  const named = (name: string, priority = "") =>
    container(off, { "boot.autostart.priority": priority }, { name });
  const order = startOrder([named("c"), named("a"), named("z", "5"), named("y", "no number")]);
  assert.deepEqual(
    order.map(({ name }) => name),
    ["z", "a", "c", "y"],
  );
});
