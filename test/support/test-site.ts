import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crostini } from "../../src/daemon/sites/crostini.ts";

/** The users of crostini and its package list, and names that are resolved as a file of the test says. */
export async function writeSite(folder: string): Promise<string> {
  // Who answers names on the bridge is nobody and must reach the file.
  await chmod(folder, 0o755);
  const site = {
    name: "place",
    network: {
      "ipv4.nat": "true",
      "ipv6.address": "fd42:7472:656d:706c::1/64",
      "raw.dnsmasq": `resolv-file=${folder}/resolv.conf`,
    },
    profile: { config: { "security.nesting": "true" } },
    users: crostini.users,
    bindMounts: [
      { device: "token", content: "token", source: "{state}/tokens/{name}_token", path: "/dev/.token" },
    ],
    crosAptList: true,
    autostart: "off",
    milestone: { file: `${folder}/lsb-release`, key: "MILESTONE", target: `${folder}/milestone` },
  };
  await writeFile(join(folder, "lsb-release"), "MILESTONE=103\n");
  await writeFile(join(folder, "resolv.conf"), "");
  await writeFile(join(folder, "site.yaml"), JSON.stringify(site));
  return join(folder, "site.yaml");
}
