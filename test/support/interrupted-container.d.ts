import type { Engine } from "../../src/engine/engine.ts";
import type { Instance } from "../../src/engine/resources/instance.ts";
import type { TestDaemon } from "./daemon.ts";
/**
 * A daemon that is killed in the middle of an operation on a container, a new one for each test, and a person who
 * then works by hand with the engine's own command line, until the next daemon recovers the operation.
 */
export declare class InterruptedContainer {
    #private;
    /** Sets the hooks of a test file. The containers are called PREFIX-a, PREFIX-b ... */
    constructor(prefix: string);
    get daemon(): TestDaemon;
    get engine(): Engine;
    /** The name of the container. */
    get name(): string;
    /** The id of the operation. */
    get id(): string;
    /** Runs the engine's own command line. */
    byHand(...args: string[]): Promise<string>;
    /** The first step of an operation on the container as it is now. */
    steps(): Promise<Record<string, string>>;
    /** Kills the daemon and leaves an operation in its journal that has taken these steps. */
    interrupt(kind: string, steps: Record<string, string>, startedAt?: number): Promise<void>;
    /** Starts the daemon again, and resolves when it has recovered everything. */
    restart(): Promise<void>;
    instance(of?: string): Promise<Instance>;
    status(of?: string): Promise<number>;
    /** The names of all containers. */
    names(): Promise<string[]>;
    snapshots(of?: string): Promise<string[]>;
    /** Makes a file in /root of a running container, by a program in it. */
    touch(of: string, file?: string): Promise<void>;
    /** Makes a file in /root of a stopped container. */
    writeFile(of: string, file: string): Promise<void>;
    /** Whether there is a file in /root of a container. */
    hasFile(of: string, file?: string): Promise<boolean>;
}
