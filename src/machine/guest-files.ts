import { DAEMON_PORT, HOST_ADDRESS, HOST_NETWORK_IPV6 } from "./machine-addresses.ts";

/** The Debian packages of the machine, in addition to the minimal system. */
export const guestPackages: readonly string[] = [
  ...["systemd", "systemd-sysv", "dbus", "libpam-systemd", "udev", "kmod", "iproute2", "openssh-server"],
  ...["linux-image-amd64", "lxd", "lxd-client", "squashfs-tools", "xz-utils", "zstd", "isal", "btrfs-progs"],
  ...["dnsmasq-base", "nftables", "uidmap", "acl", "attr", "e2fsprogs", "libstdc++6"],
  ...["ca-certificates", "debian-archive-keyring", "mmdebstrap"],
];

/** Units that the machine must not run, above all those of an external engine. */
export const maskedUnits: readonly string[] = [
  ...["lxd.service", "lxd.socket", "lxd-agent.service", "lxd-containers.service"],
  ...["apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer", "e2scrub_reap.service"],
  ...["systemd-networkd-wait-online.service", "getty@tty1.service"],
];

export const enabledUnits: readonly string[] = [
  ...["systemd-networkd.service", "nftables.service", "ssh.service", "tremplin.service"],
  "follow-clock.service",
];

/** The modules in the initramfs: a list, because unpacking all of Debian's modules takes long. */
export const initialModules: readonly string[] = ["virtio_pci", "virtio_blk", "ext4"];

/** The configuration files of the machine, by path. */
export const guestFiles: Readonly<Record<string, string>> = {
  "etc/hostname": "tremplin\n",
  "etc/hosts": "127.0.0.1 localhost tremplin\n",
  // The addresses of QEMU's user network: it forwards the first to the host's IPv4 name server, the second to its IPv6
  // one, and a host may have only one of them.
  "etc/resolv.conf": "nameserver 10.0.2.3\nnameserver fec0::3\noptions timeout:1 attempts:3\n",
  "etc/systemd/network/user.network": `[Match]
Name=en*

[Network]
Address=10.0.2.15/24
Gateway=${HOST_ADDRESS}
# For the name server alone: with a default route programs would try IPv6 first, also where the host has none.
Address=fec0::15/64
IPv6AcceptRA=no
`,
  // Discarded blocks are released in the host's file at once (btrfs(5): with discard=async it takes minutes).
  "etc/fstab": `/dev/vda / ext4 discard,noatime 0 0
/dev/vdb /mnt/stateful btrfs discard=sync,noatime,x-systemd.makefs,x-systemd.growfs 0 0
given /mnt/host 9p trans=virtio,version=9p2000.L,msize=512000,cache=loose,ro 0 0
`,
  "etc/subuid": "root:1000000:1000000000\n",
  "etc/subgid": "root:1000000:1000000000\n",
  // The user network lets the machine connect to the host's loopback. Containers must not, nor to the machine's daemon
  // and ssh.
  "etc/nftables.conf": `table inet machine {
  chain forward {
    type filter hook forward priority filter
    ip daddr ${HOST_ADDRESS} drop
    ip6 daddr ${HOST_NETWORK_IPV6} drop
  }
  chain input {
    type filter hook input priority filter
    tcp dport { 22, ${DAEMON_PORT} } iifname != "en*" drop
  }
}
`,
  "etc/ssh/sshd_config.d/tremplin.conf": `HostKey /mnt/host/keys/ssh-host
AuthorizedKeysFile /mnt/host/keys/ssh.pub
# The file is read-only, and owned by the user who runs the machine.
StrictModes no
PasswordAuthentication no
`,
  // The default of 90 s is too short for software emulation on a busy host.
  "etc/systemd/system.conf.d/tremplin.conf": `[Manager]
DefaultTimeoutStartSec=5min
DefaultDeviceTimeoutSec=5min
`,
  "etc/systemd/system/ssh.service.d/tremplin.conf": "[Unit]\nRequiresMountsFor=/mnt/host\n",
  // QEMU drives the hardware's clock by the host's clock. The system's clock stands still while the host sleeps.
  "etc/systemd/system/follow-clock.service": `[Unit]
Description=Set the clock after the host slept
ConditionPathExists=/sys/class/rtc/rtc0/since_epoch

[Service]
ExecStart=bash /usr/local/lib/follow-clock
Restart=always

[Install]
WantedBy=multi-user.target
`,
  "usr/local/lib/follow-clock": `while sleep 5; do
  hardware=$(</sys/class/rtc/rtc0/since_epoch)
  printf -v system '%(%s)T' -1
  # Both are whole seconds, read one after the other.
  ((hardware - system > 2 || system - hardware > 2)) || continue
  echo "the clock is set by $((hardware - system)) s, to that of the host"
  date --set="@$hardware" >/dev/null
done
`,
  "etc/systemd/journald.conf.d/tremplin.conf": "[Journal]\nSystemMaxUse=64M\n",
  "etc/systemd/system/tremplin.service": `[Unit]
Description=Tremplin
RequiresMountsFor=/mnt/host /mnt/stateful
After=network.target nftables.service

[Service]
EnvironmentFile=/mnt/host/daemon.env
Environment=HOME=/root
# The shared folder has the same path as on the host.
ExecStartPre=mkdir -p \${SHARED}
ExecStartPre=sh -c 'mountpoint -q "$$SHARED" || mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000 shared "$$SHARED"'
ExecStart=/mnt/host/program/bin/tremplin daemon --shared \${SHARED} $WORDS
Restart=always
KillSignal=SIGPWR
# The engine survives a daemon that died; the next daemon adopts it.
KillMode=process
TimeoutStopSec=90
Delegate=yes
LimitNOFILE=1048576
TasksMax=infinity

[Install]
WantedBy=multi-user.target
`,
};
