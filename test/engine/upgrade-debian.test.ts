import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import {
  UpgradeContainerProgress_Status as Ended,
  UpgradeContainerRequest_Version as Version,
} from "../../src/contract/tremplin_pb.js";
import { CachingProxy } from "../support/caching-proxy.ts";
import { startDaemon } from "../support/daemon.ts";
import { createDebian } from "../support/debian-container.ts";
import { engineOf } from "../support/engine-of.ts";
import { eventually } from "../support/eventually.ts";
import { inContainer } from "../support/in-container.ts";
import { nameOnBridge } from "../support/name-on-bridge.ts";
import { launch, startContainer } from "../support/tiny-container.ts";

// Slow: upgrades a whole Debian twice. Downloaded packages are kept between runs.
test("a real bullseye is upgraded to trixie in one go, resolves names there, and is rolled back", {
  timeout: 14 * 60_000,
}, async (t) => {
  await using daemon = await startDaemon();
  await launch(daemon);
  const cache = join(process.env.TREMPLIN_CACHE ?? "/var/cache/tremplin", "upgrade-packages");
  // A container that has lost its resolver does not reach its mirror.
  const name = "proxy.example";
  await using engine = await engineOf(daemon);
  await nameOnBridge(daemon, engine, name);
  await using proxy = await CachingProxy.open(cache, { address: `${daemon.addressPrefix}1`, name });
  await createDebian(daemon, "deb", "bullseye");
  await daemon.tremplin.setUpUser({ containerName: "deb", containerUsername: "ada" });
  await startContainer(daemon, "deb");
  const inside = (script: string) => inContainer(daemon, "deb", "sh", "-c", script);
  await inside(`echo 'Acquire::http::Proxy "${proxy.url}";' > /etc/apt/apt.conf.d/99proxy`);
  await inside("echo '# changed by hand' >> /etc/bash.bashrc");

  await eventually("the name of the proxy", () => inside(`getent hosts ${name}`).catch(() => undefined));

  const began = Date.now();
  const targetVersion = Version.DEBIAN_TRIXIE;
  const { failureReason } = await daemon.tremplin.upgradeContainer({ containerName: "deb", targetVersion });
  assert.equal(failureReason, "");
  const final = await daemon.listener.final("upgrade", "deb", 11 * 60_000);
  t.diagnostic(`${Math.round((Date.now() - began) / 1000)} s`);
  assert.equal(final.status, Ended.SUCCEEDED, final.failureReason);
  assert.match(await inside("cat /etc/os-release"), /VERSION_ID="13"/);
  assert.match(await inside("tail -1 /etc/bash.bashrc"), /changed by hand/);
  assert.equal(await inside("dpkg --audit"), "");
  assert.equal(await inside("id -un 1000"), "ada");
  assert.match(await inside("systemctl is-system-running || true"), /running|degraded/);
  assert.match(await inside(`getent hosts ${name}`), /proxy\.example/);
  assert.match(await inside("readlink /etc/resolv.conf"), /systemd\/resolve/);
  const lines = daemon.listener
    .messages("upgrade", "deb")
    .flatMap(({ progressMessages }) => progressMessages);
  assert.match(lines.join("\n"), /^new in trixie: \/tmp is in memory now/m);
  t.diagnostic(`${proxy.fetched} packages were fetched`);

  await daemon.guest.undoUpgrade({ containerName: "deb" });
  const undone = await daemon.listener.final("upgrade", "deb", 60_000);
  assert.equal(undone.status, Ended.SUCCEEDED, undone.failureReason);
  assert.match(await inside("cat /etc/os-release"), /VERSION_ID="11"/);
});
