/** The two USB ports of a guest that is only in memory, the first with something in it. */
export declare class MemoryUsb {
    #private;
    hasController: boolean;
    /** The answer to an attach of a container that there is. */
    attach(portNum: number, containerName: string): {
        status: number;
        failureReason: string;
    } | {
        failureReason?: never;
        status: number;
    };
    detach(portNum: number): {
        status: number;
    };
    list(): {
        ports: {
            number: number;
            usbVersion: number;
            containerName: string;
            devices: ({
                manufacturer: string;
                product: string;
                id: string;
                speed: string;
            } | {
                manufacturer?: never;
                product: string;
                id: string;
                speed: string;
            })[];
        }[];
    };
}
