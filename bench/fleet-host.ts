import { runFleetHost } from "../test/support/fleet.ts";

// A process of its own for the host that bench/notices.ts measures.
if (process.argv[2] === "as-host") await runFleetHost(JSON.parse(process.argv[3] as string));
