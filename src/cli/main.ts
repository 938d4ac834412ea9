import { processIo } from "./io.ts";
import { run } from "./program.ts";
import { reportUncaught } from "./uncaught.ts";

const io = processIo();
reportUncaught(io);
process.exitCode = await run(process.argv.slice(2), io);
