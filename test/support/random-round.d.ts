import type { TestDaemon } from "./daemon.ts";
import { type RandomEnvironment } from "./random-environment.ts";
import type { RandomSource } from "./random-source.ts";
import type { RandomUser } from "./random-user.ts";
export interface RoundTools {
    readonly daemon: TestDaemon;
    readonly environment: RandomEnvironment;
    readonly user: RandomUser;
    readonly random: RandomSource;
    readonly tell: (line: string) => void;
}
/** Requests, a kill, a user, and the return. Gives what is wrong afterwards, a sentence each. */
export declare function randomRound({ daemon, environment, user, random, tell, }: RoundTools): Promise<string[]>;
