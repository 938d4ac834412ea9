import { desktopGroups, type Site, siteSchema } from "./site.ts";

/** A Crostini-like guest under an unmodified host (docs/contract.md#paths, #default-network, #default-profile). */
export const crostini: Site = siteSchema.parse({
  name: "crostini",
  network: {
    "ipv4.dhcp.expiry": "infinite",
    "ipv6.address": "none",
    "raw.dnsmasq": "resolv-file=/run/resolv.conf\ndhcp-authoritative\nno-ping\naddn-hosts=/etc/arc_host.conf",
  },
  subnetPrefix: 28,
  profile: {
    config: {
      "boot.host_shutdown_timeout": "9",
      "raw.idmap": "both 1000 1000\nboth 655360 655360\nboth 665357 665357\nboth 1001 1001",
      "security.nesting": "true",
    },
    devices: {
      cros_containers: {
        type: "disk",
        source: "/opt/google/cros-containers",
        path: "/opt/google/cros-containers",
      },
      cros_milestone: { type: "disk", source: "/run/cros_milestone", path: "/dev/.cros_milestone" },
      external: { type: "disk", source: "/mnt/external", path: "/mnt/external" },
      fonts: { type: "disk", source: "/mnt/fonts", path: "/usr/share/fonts/chromeos" },
      fuse: { type: "unix-char", source: "/dev/fuse", mode: "0666" },
      shared: { type: "disk", source: "{shared}", path: "/mnt/chromeos" },
      tun: { type: "unix-char", source: "/dev/net/tun", mode: "0666" },
    },
    devicePatterns: ["^dri/.*$", "^snd/[stc].*$", "^snd/pcm.*p$", "^kmsg$", "^kvm$", "^wl0$"],
  },
  microphone: "^snd/pcmC\\d+D\\d+c$",
  users: {
    helpers: [
      { name: "chronos-access", id: 1001 },
      { name: "android-everybody", id: 665357 },
      { name: "android-root", id: 655360 },
    ],
    requiredGroups: ["android-everybody", "chronos-access"],
    optionalGroups: desktopGroups,
  },
  crashListener: "vsock:host:7779",
  automaticReset: "penguin",
  // The host starts what it needs.
  autostart: "off",
  crosAptList: true,
  bindMounts: [
    {
      device: "container_token",
      content: "token",
      source: "/run/tokens/{name}_token",
      path: "/dev/.container_token",
    },
    {
      device: "ssh_authorized_keys",
      content: "hostPublicKey",
      source: "/run/sshd/{name}/authorized_keys",
      path: "/dev/.ssh/ssh_authorized_keys",
    },
    {
      device: "ssh_host_key",
      content: "containerPrivateKey",
      source: "/run/sshd/{name}/ssh_host_key",
      path: "/dev/.ssh/ssh_host_key",
    },
  ],
  clientFolder: { path: "{state}/lxd_conf", owner: "chronos" },
  milestone: {
    file: "/etc/lsb-release",
    key: "CHROMEOS_RELEASE_CHROME_MILESTONE",
    target: "/run/cros_milestone",
  },
});
