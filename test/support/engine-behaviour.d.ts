import type { Engine } from "../../src/engine/engine.ts";
import { ContainerActions } from "./container-actions.ts";
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
export declare function engineBehaviour(name: string, open: () => Promise<EngineUnderTest>): void;
