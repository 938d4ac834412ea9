import type { Engine } from "../../src/engine/engine.ts";
interface TestInstance {
    readonly name: string;
    readonly uuid: string;
    readonly config?: Readonly<Record<string, string>>;
}
/** An engine elsewhere with stopped containers and nothing else, which answers only requests that read. */
export declare function engineWith(containers: readonly TestInstance[]): Engine;
export {};
