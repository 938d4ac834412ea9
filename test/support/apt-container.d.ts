import type { Engine } from "../../src/engine/engine.ts";
import type { TestDaemon } from "./daemon.ts";
import { type FakePackage } from "./debian-repository.ts";
/** The package that identifies a release in tests with small releases. */
export declare function baseFiles(versionId: string, codename: string): FakePackage;
/**
 * Creates a container with real apt and dpkg, a small init and the os-release of Debian 9, for upgrades to tiny releases.
 * Its tarballs are built once and kept.
 */
export declare function createAptContainer(daemon: TestDaemon, containerName: string): Promise<void>;
/** Resolves once the container reaches a server at this address. */
export declare function reaches(engine: Engine, container: string, url: string): Promise<void>;
/** Everything that must be the same after a rollback. */
export declare function stateOf(engine: Engine, container: string): Promise<Record<string, string>>;
