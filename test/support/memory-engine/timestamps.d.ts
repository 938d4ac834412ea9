/** Times as an engine writes them, to the nanosecond. No two are equal. */
export declare class Timestamps {
    #private;
    next(): string;
}
