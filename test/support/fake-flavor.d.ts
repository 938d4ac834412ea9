import type { TestContext } from "node:test";
import type { Flavor } from "../../src/engine/flavors/flavor.ts";
import { type EngineKind } from "../../src/engine/flavors/flavors.ts";
/** Adds a fake engine to the list of flavors until the test ends; its program is looked for in `folder`. */
export declare function addFakeFlavor(t: TestContext, folder?: string): Flavor & {
    readonly kind: EngineKind;
};
