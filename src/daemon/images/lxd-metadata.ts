import { stringify } from "yaml";
import type { Architecture } from "./architecture.ts";
import type { DebianRelease } from "./debian-releases.ts";

/** The metadata.yaml of an image, in LXD's format, which Incus reads too. */
export function lxdMetadata(release: DebianRelease, architecture: Architecture, created: Date): string {
  const iso = created.toISOString();
  const serial = `${iso.slice(0, 10).replaceAll("-", "")}_${iso.slice(11, 16)}`;
  const metadata = {
    architecture: architecture.engine,
    creation_date: Math.floor(created.getTime() / 1000),
    properties: {
      architecture: architecture.debian,
      description: `Debian ${release.codename} ${architecture.debian} (${serial})`,
      name: `debian-${release.codename}-${architecture.debian}-${serial}`,
      os: "Debian",
      release: release.codename,
      serial,
      type: "container",
      variant: "default",
      version: release.version,
    },
    templates: {
      "/etc/hostname": { when: ["create", "copy"], template: "hostname.tpl" },
      "/etc/hosts": { when: ["create", "copy"], template: "hosts.tpl" },
    },
  };
  // Engines parse YAML 1.1, in which an unquoted serial is a number.
  return stringify(metadata, { version: "1.1" });
}

/** The files in the image's templates folder, by name. */
export const templates: Readonly<Record<string, string>> = {
  "hostname.tpl": "{{ container.name }}\n",
  "hosts.tpl": [
    "127.0.0.1\tlocalhost",
    "127.0.1.1\t{{ container.name }}",
    "",
    "::1\t\tlocalhost ip6-localhost ip6-loopback",
    "ff02::1\t\tip6-allnodes",
    "ff02::2\t\tip6-allrouters",
    "",
  ].join("\n"),
};
