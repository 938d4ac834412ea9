import { processIo } from "./io.ts";
import { run } from "./program.ts";
import { reportUncaught } from "./uncaught.ts";

// Whatever the caller has: files are not for other users to write, and folders on the way to containers stay open.
process.umask(0o022);
const io = processIo();
reportUncaught(io);
process.exitCode = await run(process.argv.slice(2), io);
