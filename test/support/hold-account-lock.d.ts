import type { Engine } from "../../src/engine/engine.ts";
/** Makes a program in a running container hold the account lock, as useradd does, until disposed. */
export declare function holdAccountLock(engine: Engine, container: string): Promise<AsyncDisposable>;
