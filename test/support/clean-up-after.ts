// Started beside a test with its folder and its bridge: waits until the test, or the process that ran it, has
// gone in whatever way, then takes down what it left. Run by Node itself, not bundled.
import { cleanUp } from "./clean-up.ts";

const [folder = "", bridge = ""] = process.argv.slice(2);
if (!folder.startsWith("/var/tmp/tremplin-test-")) throw new Error(`"${folder}" is not the folder of a test`);
for await (const _ of process.stdin);
await cleanUp({ folder, bridge });
