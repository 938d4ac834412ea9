import type { Clock } from "../../src/base/async/clock.ts";
/** A clock that stands still until a test moves it. */
export declare class ManualClock implements Clock {
    #private;
    now(): number;
    elapsed(): number;
    /** Sets the time, forward or back; nothing that sleeps notices. */
    jump(milliseconds: number): void;
    sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
    /** Resolves once so many are asleep: then whoever waits on this clock has got that far. */
    sleeping(count?: number): Promise<void>;
    /** Moves the time and wakes whoever's time has come. */
    advance(milliseconds: number): void;
}
