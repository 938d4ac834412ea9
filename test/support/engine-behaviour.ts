import { after, before, describe } from "node:test";
import type { Engine } from "../../src/engine/engine.ts";
import { ContainerActions } from "./container-actions.ts";
import { containerChanges, containerCreation, containerStates } from "./engine-behaviour/containers.ts";
import { imageBehaviour, profileBehaviour } from "./engine-behaviour/images.ts";
import { insideBehaviour } from "./engine-behaviour/inside.ts";
import { operationBehaviour } from "./engine-behaviour/operations.ts";
import { snapshotBehaviour } from "./engine-behaviour/snapshots.ts";

/** An engine whose behaviour is to be proven. */
export interface EngineUnderTest extends AsyncDisposable {
  /** A client of it, disposed by the caller. */
  connect(): Promise<Engine>;
  /** Uploads an image whose containers start, and answers its fingerprint. Its property `os` is `tiny`. */
  upload(engine: Engine): Promise<string>;
}

/** The engine of the suite, and helpers for it. */
export interface Bench {
  readonly engine: Engine;
  readonly hands: ContainerActions;
  /** The fingerprint of the image. */
  readonly image: string;
  /** Another client, disposed by the caller. */
  readonly connect: () => Promise<Engine>;
}

/**
 * Registers the tests of all that the operations of the daemon rely on in an engine. They run on the real engine and on
 * the one in memory, so that a unit test with the latter means something.
 */
export function engineBehaviour(name: string, open: () => Promise<EngineUnderTest>): void {
  describe(name, () => {
    let underTest: EngineUnderTest;
    let bench: Bench;
    before(async () => {
      underTest = await open();
      const engine = await underTest.connect();
      const image = await underTest.upload(engine);
      bench = {
        engine,
        image,
        hands: new ContainerActions(engine, image),
        connect: () => underTest.connect(),
      };
    });
    after(async () => {
      await bench?.engine[Symbol.asyncDispose]();
      await underTest?.[Symbol.asyncDispose]();
    });
    for (const register of [
      containerCreation,
      containerStates,
      containerChanges,
      snapshotBehaviour,
      operationBehaviour,
      imageBehaviour,
      profileBehaviour,
      insideBehaviour,
    ]) {
      register(() => bench);
    }
  });
}
