/** A sysfs with an xHCI controller of eight ports of USB 2 and eight of USB 3, for machines without one. */
export interface FakeUsb extends AsyncDisposable {
    readonly sys: string;
    /** Plugs something with one node, `/dev/NODE`, into a port of USB 2, in the place of what was there. */
    plug(port: number, node: string): Promise<void>;
    /** Plugs in one more part of what is in a port of USB 2: a node of a subsystem. */
    plugPart(port: number, part: {
        readonly subsystem: string;
        readonly node: string;
    }): Promise<void>;
    unplug(port: number): Promise<void>;
    /** Plugs something with one node into the port with this folder below sysfs. */
    plugInto(folder: string, node: string): Promise<void>;
    /** One more controller in a slot, with root hubs: their product and number of ports. Gives its path below sysfs. */
    addController(slot: string, hubs: Readonly<Record<string, readonly [product: string, ports: number]>>): Promise<string>;
    /** Removes the controller in a slot with all that is plugged in there. */
    removeController(slot: string): Promise<void>;
}
export declare function fakeUsb(): Promise<FakeUsb>;
