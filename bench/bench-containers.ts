import { startDaemon, type TestDaemon } from "../test/support/daemon.ts";
import { createDebian } from "../test/support/debian-container.ts";
import { inContainer } from "../test/support/in-container.ts";
import { launch, startContainer } from "../test/support/tiny-container.ts";

/** How often the large container holds /usr again: 2 GB and more, 60,000 files and more. */
const COPIES = 9;

/** Containers to back up and restore: plain Debian, and one after long use. Both are stopped. */
export interface BenchContainers extends AsyncDisposable {
  readonly daemon: TestDaemon;
  readonly containers: readonly string[];
}

export async function benchContainers(): Promise<BenchContainers> {
  await using stack = new AsyncDisposableStack();
  const daemon = stack.use(await startDaemon());
  await launch(daemon);
  const containers = (process.env.TREMPLIN_BENCH_CONTAINERS ?? "bookworm,large").split(",");
  for (const name of containers) {
    await createDebian(daemon, name);
    await startContainer(daemon, name);
  }
  const copy = `for i in $(seq ${COPIES}); do cp -a --reflink=never /usr /opt/copy-$i; done; sync`;
  if (containers.includes("large")) await inContainer(daemon, "large", "sh", "-c", copy);
  for (const name of containers) {
    await daemon.tremplin.stopContainer({ containerName: name });
    await daemon.listener.final("stop", name);
  }
  const held = stack.move();
  return { daemon, containers, [Symbol.asyncDispose]: () => held.disposeAsync() };
}
