import { processIo } from "./io.ts";
import { run } from "./program.ts";
import { reportUncaught } from "./uncaught.ts";

// Whatever the caller has: files are not for other users to write, and folders on the way to containers stay open.
process.umask(0o022);
// Where mmdebstrap and others find chroot and mkfs; an ordinary user's PATH on Debian leaves them out.
process.env.PATH = [process.env.PATH || "/usr/local/bin:/usr/bin:/bin", "/usr/sbin", "/sbin"].join(":");
const io = processIo();
reportUncaught(io);
process.exitCode = await run(process.argv.slice(2), io);
