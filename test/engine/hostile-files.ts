import {
  GetContainerUsernameResponse_Status as Found,
  SetUpUserResponse_Status as SetUp,
} from "../../src/contract/tremplin_pb.js";

/** A trap that root of a container can prepare for SetUpUser, and the expected result. */
export interface Trap {
  readonly title: string;
  /** Runs in the container. OUTSIDE stands for a folder of the guest. */
  readonly plant: string;
  readonly found?: Found;
  readonly setUp: SetUp;
  /** The reason of the failure. */
  readonly reason?: RegExp;
  /** A script that runs in the container after the call, and its output. */
  readonly look?: string;
  readonly there?: RegExp;
}

export const traps: readonly Trap[] = [
  ...["passwd", "group", "shadow"].map((file) => ({
    title: `/etc/${file} is a link to a file of the guest`,
    plant: `rm /etc/${file}; ln -s OUTSIDE/${file} /etc/${file}`,
    found: file === "passwd" ? Found.FAILED : Found.USER_NOT_FOUND,
    setUp: SetUp.FAILED,
    reason: /no such file/,
  })),
  {
    title: "/etc/passwd is a link within the container",
    plant: "mv /etc/passwd /etc/users; ln -s users /etc/passwd",
    found: Found.USER_NOT_FOUND,
    setUp: SetUp.FAILED,
    reason: /\/etc\/passwd is a symlink, not a regular file/,
    look: "readlink /etc/passwd; cat /etc/users",
    there: /^users\nroot.*\n$/,
  },
  {
    title: "/etc/passwd is a link to itself",
    plant: "rm /etc/passwd; ln -s passwd /etc/passwd",
    found: Found.FAILED,
    setUp: SetUp.FAILED,
    reason: /too many/,
  },
  {
    title: "/etc/passwd is a sparse file of 2 GB",
    plant: "truncate -s 2G /etc/passwd",
    found: Found.FAILED,
    setUp: SetUp.FAILED,
    reason: /larger than/,
  },
  {
    title: "/etc/passwd is a pipe",
    plant: "rm /etc/passwd; mkfifo /etc/passwd",
    found: Found.FAILED,
    setUp: SetUp.FAILED,
    reason: /is a special/,
  },
  {
    title: "/etc/shadow is a directory",
    plant: "rm /etc/shadow; mkdir /etc/shadow",
    found: Found.USER_NOT_FOUND,
    setUp: SetUp.FAILED,
    reason: /is a directory/,
  },
  {
    title: "the home is a link to a directory of the guest",
    plant: "ln -s OUTSIDE/home /home/ada",
    setUp: SetUp.SUCCESS,
    look: "readlink /home/ada; ls -A /home",
    there: /^\/.*\/outside\/home\nada\n$/,
  },
  {
    title: "the home is a link to a directory of the container",
    plant: "mkdir /srv; ln -s /srv /home/ada",
    setUp: SetUp.SUCCESS,
    look: "readlink /home/ada; ls -A /srv",
    there: /^\/srv\n$/,
  },
  {
    title: "the home is a pipe",
    plant: "mkfifo /home/ada",
    setUp: SetUp.FAILED,
    reason: /\/home\/\$USERNAME in the container is a special file/,
    look: "stat -c %F /home/ada; ! grep ada /etc/passwd",
    there: /^fifo\n$/,
  },
  {
    title: "the skeleton contains pipes and files with odd names",
    plant:
      "mkfifo /etc/skel/pipe '/etc/skel/two\nlines'; touch '/etc/skel/\\$(reboot)\n' /home/.ada.tremplin",
    setUp: SetUp.SUCCESS,
    look: "ls -A /home; ls -A /home/ada",
    there: /^ada\n\.profile\n\\\$\(reboot\)\?\n$/,
  },
  {
    title: "the skeleton contains links to files of the guest",
    plant: "ln -s OUTSIDE/secret /etc/skel/secret; ln -s OUTSIDE /etc/skel/folder",
    setUp: SetUp.SUCCESS,
    look: "readlink /home/ada/secret; cat /home/ada/secret /home/ada/folder/secret 2>&1; true",
    there: /^\/.*\/outside\/secret\ncat: can't open.*\ncat: can't open/,
  },
  {
    title: "the skeleton is a link to the whole container",
    plant: "rm -r /etc/skel; ln -s / /etc/skel; mkdir /many; cd /many; seq 12000 | xargs touch",
    setUp: SetUp.FAILED,
    reason: /\/etc\/skel/,
    look: "ls -A /home",
    there: /^$/,
  },
  {
    title: "the skeleton contains a huge file",
    plant: "truncate -s 2G /etc/skel/huge",
    setUp: SetUp.FAILED,
    reason: /larger than/,
    look: "ls -A /home",
    there: /^$/,
  },
  {
    title: "the folder of lingering is a link to a directory of the guest",
    plant: "mkdir -p /var/lib/systemd; ln -s OUTSIDE/linger /var/lib/systemd/linger",
    setUp: SetUp.FAILED,
    reason: /linger/,
    look: "! grep ada /etc/passwd; readlink /var/lib/systemd/linger",
    there: /^\/.*\/outside\/linger\n$/,
  },
  {
    title: "the folder of lingering is a link to a directory of the container",
    plant: "mkdir -p /var/lib/systemd /var/kept; ln -s ../../kept /var/lib/systemd/linger",
    setUp: SetUp.SUCCESS,
    look: "ls /var/kept",
    there: /^ada\n$/,
  },
  {
    title: "the temporary names of the daemon are taken",
    plant:
      "mkfifo /etc/passwd.tremplin; ln -s OUTSIDE/secret /etc/shadow.tremplin; ln -s OUTSIDE/secret /etc/shadow-.tremplin",
    setUp: SetUp.SUCCESS,
    look: "grep ada /etc/passwd; stat -c %a /etc/shadow; ls /etc | grep tremplin; true",
    there: /^ada.*\n640\n$/,
  },
];
