import { oddCases } from "./odd-account-fixtures.ts";

/** The accounts and files of a container before SetUpUser is called for anna. */
export interface AccountCase {
  readonly title: string;
  /** Whether it is also tested with a stopped container. Default: only with a running one. */
  readonly stopped?: true;
  /** Lines added to the account files. */
  readonly passwd?: readonly string[];
  readonly group?: readonly string[];
  readonly shadow?: readonly string[];
  readonly gshadow?: readonly string[];
  /** Runs in the container before the call. */
  readonly plant?: string;
  /** The requested name. Default: anna. */
  readonly wanted?: string;
  /** The name in the response. Default: anna. */
  readonly username?: string;
  /** The reason of the failure, after which nothing may have changed. */
  readonly reason?: RegExp;
  /** A script that runs in the container after the call, and its output. */
  readonly look?: string;
  readonly there?: RegExp;
}

const anna = "anna:x:1000:1000:Anna:/home/anna:/bin/sh";
const bob = "bob:x:1001:1001:Bob:/home/bob:/bin/sh";
const password = "$6$salt$hash";

export const accountCases: readonly AccountCase[] = [
  {
    title: "uid 1000 with another primary group, and gid 1000 is a group with members",
    stopped: true,
    passwd: ["anna:x:1000:100::/home/anna:/bin/sh", bob],
    group: ["users:x:100:", "project:x:1000:anna,bob", "bob:x:1001:"],
    shadow: [`anna:${password}:19000:0:99999:7:::`],
    gshadow: ["project:!:anna:anna,bob"],
    look: "id anna",
    there: /^uid=1000\(anna\) gid=100\(users\) groups=.*1000\(project\)/,
  },
  {
    title: "there is no primary user, and gid 1000 is a group with members",
    stopped: true,
    passwd: [bob],
    group: ["family:x:1000:anna,bob", "bob:x:1001:"],
    look: "id anna; stat -c %U:%G /home/anna/.profile",
    there: /^uid=1000\(anna\) gid=(?!1000)\d+\(anna\) groups=.*1000\(family\).*\nanna:anna\n$/,
  },
  {
    title: "there is no primary user, and gid 1000 is the nameless group of another user",
    passwd: ["bob:x:1001:1000:Bob:/home/bob:/bin/sh"],
    look: "id anna; id bob",
    there: /^uid=1000\(anna\) gid=(?!1000)\d+\(anna\) .*\nuid=1001\(bob\) gid=1000\b(?!\()/,
  },
  {
    title: "the name has another uid and a password",
    stopped: true,
    passwd: ["anna:x:1001:1001:Anna:/home/anna:/bin/sh"],
    group: ["anna:x:1001:"],
    shadow: [`anna:${password}:19000:0:99999:7:::`],
    gshadow: ["anna:!::"],
    plant: "mkdir -p /home/anna; echo diary > /home/anna/diary; chown -R anna:anna /home/anna",
    reason: /"\$USERNAME" has the uid 1001 .*must have 1000: choose another name, or/,
    look: "stat -c %U /home/anna/diary",
    there: /^anna\n$/,
  },
  {
    title: "the name has the uid of a system account",
    passwd: ["anna:x:500:500::/srv:/bin/sh"],
    reason: /has the uid 500 /,
  },
  {
    title: "a group with members has the name",
    stopped: true,
    passwd: [bob],
    group: ["anna:x:1005:bob", "bob:x:1001:"],
    gshadow: [`anna:${password}:bob:bob`],
    look: "id anna; id bob",
    there: /^uid=1000\(anna\) gid=1000\(anna-1000\) groups=(?!.*1005).*\nuid=1001\(bob\).*1005\(anna\)/,
  },
  {
    title: "other accounts have ids of the site",
    stopped: true,
    passwd: [anna, bob],
    group: ["anna:x:1000:", "bob:x:1001:eve", "crowd:x:665357:bob"],
    shadow: [`bob:${password}:19000:0:99999:7:::`],
    look: "id bob; id anna; id chronos-access",
    there:
      /^uid=1001\(bob\) gid=1001\(bob\) groups=1001\(bob\),665357\(crowd\)\nuid=1000\(anna\) gid=1000\(anna\) groups=(?!.*(1001|665357)\().*\(chronos-access\).*\nuid=(?!1001)\d+\(chronos-access\) gid=(?!1001)/,
  },
  {
    title: "another account has a uid of the site, and the gid is free",
    passwd: ["bob:x:1001:100:Bob:/home/bob:/bin/sh"],
    group: ["users:x:100:"],
    look: "id anna",
    there: /1001\(chronos-access\)/,
  },
  {
    title: "names of the site have other ids",
    passwd: ["android-root:x:1500:1500:Andi:/home/andi:/bin/sh"],
    group: ["chronos-access:x:1005:bob"],
    shadow: [`android-root:${password}:19000:0:99999:7:::`],
    look: "id android-root; id anna",
    there: /^uid=1500\(android-root\) .*\nuid=1000\(anna\) .*1005\(chronos-access\)/,
  },
  {
    title: "the primary user has another name than the requested one",
    passwd: [anna],
    group: ["anna:x:1000:", "sudo:x:27:bob"],
    shadow: [`anna:${password}:19000:0:99999:7:::`],
    wanted: "tom",
    look: "id anna; id tom; grep -r tom /etc/passwd /etc/group /etc/shadow; ls /home /var/lib/systemd/linger",
    there: /^uid=1000\(anna\).*27\(sudo\).*\n\/home:\nanna\n\n\/var\/lib\/systemd\/linger:\nanna\n$/,
  },
  {
    title: "the primary user is locked and expired and may not log in",
    passwd: ["anna:x:1000:1000:Anna:/home/anna:/usr/sbin/nologin"],
    shadow: [`anna:!${password}:19000:0:99999:7::19001:`],
    look: "grep ^anna: /etc/passwd /etc/shadow",
    there: /nologin\n.*:!\$6\$salt\$hash:19000:0:99999:7::19001:\n$/,
  },
  {
    title: "there is an orphaned password of a former account with the name",
    shadow: [`anna:${password}:19000:0:99999:7:::`],
    look: "grep ^anna: /etc/passwd",
    there: /^anna:!:1000:1000:anna:\/home\/anna:\/bin\/sh\n$/,
  },
  {
    title: "a group of the site has a password of its own, and no line in gshadow",
    group: [`sudo:${password}:27:bob`],
    look: "grep ^sudo: /etc/group /etc/gshadow",
    there: /^\/etc\/group:sudo:\$6\$salt\$hash:27:bob,anna\n$/,
  },
  {
    title: "gshadow has an orphaned line with members of a group of the site",
    gshadow: [`chronos-access:${password}::bob`],
    reason: /\/etc\/gshadow still holds members or a password of a group chronos-access/,
  },
  {
    title: "two accounts have uid 1000",
    passwd: [anna, "ann:x:1000:1000::/home/ann:/bin/sh"],
    look: "ls /home",
    there: /^anna\n$/,
  },
  {
    title: "the account with uid 1000 shares its name with another uid",
    passwd: ["anna:x:1500:1500::/srv:/bin/sh", anna],
    reason: /the uids 1500 and 1000 have the same name/,
  },
  {
    title: "the home of a new user is a link to a disk that is not mounted",
    plant: "ln -s /mnt/disk/anna /home/anna",
    look: "readlink /home/anna; ls /mnt",
    there: /^\/mnt\/disk\/anna\n$/,
  },
  {
    title: "the home of an existing user is a link to a disk that is not mounted",
    stopped: true,
    passwd: [anna],
    plant: "ln -s /mnt/disk/anna /home/anna; ln -s anna /home/round",
    look: "readlink /home/anna; ls /mnt",
    there: /^\/mnt\/disk\/anna\n$/,
  },
  {
    title: "the home of an existing user lies behind a link to a disk that is not mounted",
    passwd: ["anna:x:1000:1000:Anna:/data/anna/:/bin/sh"],
    plant: "ln -s /mnt/disk /data",
    look: "readlink /data; ls /mnt",
    there: /^\/mnt\/disk\n$/,
  },
  {
    title: "the home is a loop of links",
    plant: "ln -s anna /home/anna",
    look: "readlink /home/anna",
    there: /^anna\n$/,
  },
  {
    title: "the home of a new user is a file",
    stopped: true,
    plant: "echo diary > /home/anna",
    reason: /\/home\/\$USERNAME in the container is a file, not a directory: move it out of the way/,
    look: "cat /home/anna",
    there: /^diary\n$/,
  },
  {
    title: "the home of an existing user is a link to a file",
    passwd: [anna],
    plant: "echo diary > /home/diary; ln -s diary /home/anna",
    reason: /\/home\/\$USERNAME in the container is a file/,
    look: "cat /home/anna",
    there: /^diary\n$/,
  },
  {
    title: "the home of a new user belongs to another account",
    passwd: [bob],
    plant: "mkdir /home/anna; echo diary > /home/anna/diary; chown -R bob /home/anna",
    reason: /\/home\/\$USERNAME in the container belongs to uid 1001/,
  },
  {
    title: "the home of a new user is the home of another account",
    passwd: ["bob:x:1001:1001:Bob:/home/anna/:/bin/sh"],
    reason: /\/home\/\$USERNAME is the home of uid 1001/,
  },
  {
    title: "the home of a new user is not empty and belongs to an unknown id",
    plant: "mkdir -m 700 /home/anna; echo diary > /home/anna/.profile; chown -R 1234:1234 /home/anna",
    look: "stat -c '%u %a' /home/anna; cat /home/anna/.profile",
    there: /^1234 700\ndiary\n$/,
  },
  {
    title: "the folder of lingering is a dangling link",
    plant: "mkdir -p /var/lib/systemd; ln -s /mnt/disk /var/lib/systemd/linger",
    reason: /linger in the container is or lies behind a link that leads nowhere/,
  },
  {
    title: "the account files are read-only and have backups",
    stopped: true,
    plant: "chmod 600 /etc/shadow /etc/gshadow /etc/passwd; chown root:shadow /etc/group; umask 077",
    look: "stat -c '%n %a %U:%G' /etc/passwd /etc/group /etc/shadow /etc/gshadow",
    there:
      /^\/etc\/passwd 600 root:root\n\/etc\/group 644 root:shadow\n\/etc\/shadow 600 .*\n\/etc\/gshadow 600 .*\n$/,
  },
  {
    title: "a daemon that died has written only passwd",
    passwd: [bob, "anna:x:1000:1002:anna:/home/anna:/bin/bash"],
    group: ["project:x:1000:bob", "bob:x:1001:"],
    plant:
      "echo half > /etc/shadow.tremplin; mkdir -m 700 /home/.anna.tremplin; touch /home/.anna.tremplin/x",
    look: "id -nG anna; grep ^anna: /etc/shadow; ls -A /home /home/anna; ls /etc | grep tremplin",
    there: /^anna \S.*\nanna:!:.*\n\/home:\nanna\n\n\/home\/anna:\n\.profile\n$/,
  },
  {
    title: "the backup of an account file is a link",
    plant: "ln -s /mnt/passwd-of-yesterday /etc/passwd-",
    reason: /\/etc\/passwd- is a symlink, not a regular file/,
  },
  ...oddCases,
];
