/** One call with an empty message. Without an authority gRPC's C core chooses it. */
export interface PythonCall {
    readonly path: string;
    readonly authority?: string;
}
/** Makes calls by gRPC's C core, as the clients of Python, C++, Ruby and PHP do. Answers OK or the status of each. */
export declare function callFromPython(target: string, calls: readonly PythonCall[]): Promise<string[]>;
