import { DAEMON_PORT, HOST_ADDRESS } from "./machine-addresses.ts";

/** Debian's packages in the machine, beside the smallest system. */
export const guestPackages: readonly string[] = [
  ...["systemd", "systemd-sysv", "dbus", "libpam-systemd", "udev", "kmod", "iproute2", "openssh-server"],
  ...["linux-image-amd64", "lxd", "lxd-client", "squashfs-tools", "xz-utils", "zstd", "isal", "btrfs-progs"],
  ...["dnsmasq-base", "nftables", "uidmap", "acl", "attr", "e2fsprogs", "libstdc++6"],
  ...["ca-certificates", "debian-archive-keyring", "mmdebstrap"],
];

/** Units that are not for this machine: its engine is the daemon's own. */
export const maskedUnits: readonly string[] = [
  ...["lxd.service", "lxd.socket", "lxd-agent.service", "lxd-containers.service"],
  ...["apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer", "e2scrub_reap.service"],
  ...["systemd-networkd-wait-online.service", "getty@tty1.service"],
];

export const enabledUnits: readonly string[] = [
  ...["systemd-networkd.service", "nftables.service", "ssh.service", "tremplin.service"],
];

/** What the machine's initial file system loads: a list, for all that Debian knows takes long to unpack. */
export const initialModules: readonly string[] = ["virtio_pci", "virtio_blk", "ext4"];

/** The files that make the system this machine, by their paths in it. */
export const guestFiles: Readonly<Record<string, string>> = {
  "etc/hostname": "tremplin\n",
  "etc/hosts": "127.0.0.1 localhost tremplin\n",
  // The addresses of QEMU's user network.
  "etc/resolv.conf": "nameserver 10.0.2.3\n",
  "etc/systemd/network/user.network": `[Match]
Name=en*

[Network]
Address=10.0.2.15/24
Gateway=${HOST_ADDRESS}
`,
  // What is thrown away is given back to the host's file at once (btrfs(5): the other way it takes minutes).
  "etc/fstab": `/dev/vda / ext4 discard,noatime 0 0
/dev/vdb /mnt/stateful btrfs discard=sync,noatime,x-systemd.makefs,x-systemd.growfs 0 0
given /mnt/host 9p trans=virtio,version=9p2000.L,msize=512000,cache=loose,ro 0 0
`,
  "etc/subuid": "root:1000000:1000000000\n",
  "etc/subgid": "root:1000000:1000000000\n",
  // The user network lets the machine reach the host's loopback. Containers have no business there, nor with
  // the machine's own daemon and ssh.
  "etc/nftables.conf": `table inet machine {
  chain forward {
    type filter hook forward priority filter
    ip daddr ${HOST_ADDRESS} drop
  }
  chain input {
    type filter hook input priority filter
    tcp dport { 22, ${DAEMON_PORT} } iifname != "en*" drop
  }
}
`,
  "etc/ssh/sshd_config.d/tremplin.conf": `HostKey /mnt/host/keys/ssh-host
AuthorizedKeysFile /mnt/host/keys/ssh.pub
# The file is read only, and owned by whoever runs the machine.
StrictModes no
PasswordAuthentication no
`,
  // A minute and a half is too little where every instruction is emulated on a busy host.
  "etc/systemd/system.conf.d/tremplin.conf": `[Manager]
DefaultTimeoutStartSec=5min
DefaultDeviceTimeoutSec=5min
`,
  "etc/systemd/system/ssh.service.d/tremplin.conf": "[Unit]\nRequiresMountsFor=/mnt/host\n",
  "etc/systemd/journald.conf.d/tremplin.conf": "[Journal]\nSystemMaxUse=64M\n",
  "etc/systemd/system/tremplin.service": `[Unit]
Description=Tremplin
RequiresMountsFor=/mnt/host /mnt/stateful
After=network.target nftables.service

[Service]
EnvironmentFile=/mnt/host/daemon.env
Environment=HOME=/root
# The folder that both sides see lies under the same path here.
ExecStartPre=mkdir -p \${SHARED}
ExecStartPre=sh -c 'mountpoint -q "$$SHARED" || mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000 shared "$$SHARED"'
ExecStart=/mnt/host/program/bin/tremplin daemon --shared \${SHARED} $WORDS
Restart=always
KillSignal=SIGPWR
# An engine outlives a daemon that died: the next one takes it over.
KillMode=process
TimeoutStopSec=90
Delegate=yes
LimitNOFILE=1048576
TasksMax=infinity

[Install]
WantedBy=multi-user.target
`,
};
