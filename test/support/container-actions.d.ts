import type { Engine } from "../../src/engine/engine.ts";
import type { Instance, InstanceCreate, InstanceUpdate, StateChange } from "../../src/engine/resources/instance.ts";
/** The short words of tests for what they do to containers, each waited for. */
export declare class ContainerActions {
    #private;
    /** Containers are created from `image`, a fingerprint. */
    constructor(engine: Engine, image: string);
    create(name: string, body?: Partial<InstanceCreate>): Promise<Instance>;
    get(name: string): Promise<Instance>;
    /** Changes its state; a stop is by force. */
    act(name: string, action: StateChange["action"]): Promise<Instance | undefined>;
    /** Sets keys of its configuration. */
    set(name: string, config: InstanceUpdate["config"]): Promise<Instance>;
    rename(name: string, newName: string): Promise<void>;
    delete(name: string): Promise<void>;
    snapshot(name: string, snapshot: string): Promise<void>;
    restore(name: string, snapshot: string): Promise<Instance>;
    deleteSnapshot(name: string, snapshot: string): Promise<void>;
    /** The names of its snapshots. */
    snapshots(name: string): Promise<string[]>;
    write(name: string, path: string, text: string): Promise<void>;
    read(name: string, path: string): Promise<string>;
}
