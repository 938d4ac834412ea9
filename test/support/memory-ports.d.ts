import { type Socket } from "node:net";
import { CurrentPorts } from "../../src/daemon/connections/current-ports.ts";
import { wasTaken } from "../../src/daemon/rpc/connect-port.ts";
/** The listening ports of containers that exist in memory only. Their programs are real, on ports of this machine. */
export declare class MemoryPorts {
    #private;
    readonly current: CurrentPorts;
    /** A container runs, and listens on nothing yet. */
    start(container: string): void;
    /** `program`: where the program really listens; by default nowhere. */
    listen(container: string, port: number, program?: number): void;
    close(container: string, port: number): void;
    stop(container: string): void;
    /** As if the host were on another machine. */
    isElsewhere: boolean;
    readonly wasTaken: (...request: Parameters<typeof wasTaken>) => Promise<boolean>;
    /** In place of the daemon's own: there is no network namespace. */
    readonly connect: ({ container, port }: {
        container: string;
        port: number;
    }) => Promise<Socket>;
}
/** A program of this machine that listens on any port, or on the given one. */
export declare function program(onConnection: (socket: Socket) => void, port?: number): Promise<AsyncDisposable & {
    readonly port: number;
}>;
