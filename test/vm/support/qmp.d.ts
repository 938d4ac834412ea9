/** The monitor of the virtual machine that a test runs in, on a port of the machine (QMP). */
export interface Monitor extends Disposable {
    /** Runs a command; rejects with the error of QEMU. */
    run(execute: string, args?: Readonly<Record<string, unknown>>): Promise<unknown>;
    /** Unplugs a device, and waits until the machine has released it. */
    unplug(id: string): Promise<void>;
}
/** Opens the monitor. There is only one, so only one test file at a time can use it. */
export declare function openMonitor(): Promise<Monitor>;
