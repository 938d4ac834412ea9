import { type UpgradeContainerProgress, type UpgradeContainerRequest_Version as Version } from "../../src/contract/tremplin_pb.js";
import type { Engine } from "../../src/engine/engine.ts";
import { type TestDaemon } from "./daemon.ts";
import { type FakePackage, type FakeSuite, Mirror, type SigningKey } from "./debian-repository.ts";
/** A package with a configuration file. */
export declare function tool(version: string, more?: Partial<FakePackage>): FakePackage;
type Reached = () => Promise<unknown>;
/**
 * Five points of an upgrade from the oldest release to the next one. Each function makes the upgrade stop at its point,
 * and returns a function that resolves once the upgrade is there.
 */
export declare const points: Readonly<Record<string, (place: UpgradeFixture, name: string) => Promise<Reached>>>;
/** A daemon, a mirror of small releases on its bridge, and containers of the oldest one. */
export declare class UpgradeFixture implements AsyncDisposable {
    #private;
    readonly daemon: TestDaemon;
    readonly engine: Engine;
    readonly mirror: Mirror;
    readonly key: SigningKey;
    private constructor();
    static open(): Promise<UpgradeFixture>;
    /** Replaces releases on the mirror, and makes it respond. */
    offer(...suites: readonly FakeSuite[]): Promise<void>;
    /** Moves a release from the mirror to the archive beside it, where its files have expired. */
    archive(suite: string): Promise<void>;
    /** Adds a repository of another vendor, with Debian's names, below the mirror. Returns its URI. */
    vendor(origin: string): Promise<string>;
    /** Creates and starts a container for a test. */
    container(): Promise<string>;
    inside(name: string, script: string): Promise<string>;
    /** As container(), in a pool with plain folders. */
    containerOnFolders(): Promise<string>;
    /** Limits the disk space of a container. */
    limitDisk(name: string, size: string): Promise<void>;
    /** Signs everything on the mirror with an expired key that the container trusts. */
    expireKey(name: string): Promise<void>;
    /** Dates the mirror's releases from tomorrow. */
    comeFromTomorrow(): Promise<void>;
    /** Makes a container trust a key as it trusts Debian's. */
    trust(name: string, { keyring, home }: SigningKey): Promise<void>;
    /**
     * Delays the mirror's next response for a path that contains the text. Resolves when it is requested, with a function
     * that sends it.
     */
    holding(text: string, count?: number): Promise<() => void>;
    /** Polls until the condition holds. */
    until(what: string, look: () => Promise<boolean>): Promise<void>;
    /** Requests an upgrade, which must be accepted. */
    begin(containerName: string, targetVersion: Version): Promise<void>;
    /** Runs an upgrade to its end. */
    upgrade(name: string, target: Version): Promise<UpgradeContainerProgress>;
    /** All lines that the host received, in order. */
    lines(name: string): string[];
    log(name: string): Promise<string>;
    [Symbol.asyncDispose](): Promise<void>;
}
export {};
