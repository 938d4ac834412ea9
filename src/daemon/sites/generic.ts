import { desktopGroups, type Site, siteSchema } from "./site.ts";

/** Any Linux machine: nothing of ChromeOS. */
export const generic: Site = siteSchema.parse({
  name: "generic",
  network: { "ipv4.nat": "true", "ipv6.address": "none", "dns.domain": "tremplin" },
  profile: {
    config: { "boot.host_shutdown_timeout": "9", "security.nesting": "true" },
    devices: {
      fuse: { type: "unix-char", source: "/dev/fuse", path: "/dev/fuse", mode: "0666" },
      tun: { type: "unix-char", source: "/dev/net/tun", path: "/dev/net/tun", mode: "0666" },
    },
  },
  autostart: "last",
  users: {
    optionalGroups: desktopGroups,
  },
  bindMounts: [
    {
      device: "container_token",
      content: "token",
      source: "{state}/tokens/{name}_token",
      path: "/dev/.container_token",
    },
  ],
});
