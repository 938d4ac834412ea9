import type { AccountCase } from "./account-fixtures.ts";

const anna = "anna:x:1000:1000:Anna:/home/anna:/bin/sh";

/** Containers whose account files, skeleton or programs are not those of a fresh Debian. */
export const oddCases: readonly AccountCase[] = [
  {
    title: "lines of others are not valid, and groups have odd lists of members",
    stopped: true,
    passwd: [
      "bob:x:1001:1001:Bob:/home/bob",
      "eve:x:1002:1002:::/bin/sh:",
      "tom:x:-1:5:::",
      "junk",
      "::::::",
    ],
    group: ["audio:x:29:pulse,", "video:x:44:,eve", "users:x:100", "games:x:60:a:b", "team:x:-1:bob"],
    shadow: ["bob:*:19000:0:99999", "eve:*:19000:0:99999:7::", "tom:*:-1::::::", "zoe"],
    gshadow: ["audio:*:", "video:*:,:,eve", "games"],
    plant:
      "printf '# old\\n\\n \\nwin:x:1003:1003:::/bin/sh\\r\\nn\\0l:x:1004:1:::\\nlast:x' >> /etc/passwd; sed -i 's/^root.*/&\\r/' /etc/gshadow",
    look: "id anna; grep -c . /etc/passwd",
    there: /^uid=1000\(anna\) gid=1000\(anna\) groups=.*29\(audio\).*44\(video\)/,
  },
  {
    title: "the line with uid 1000 has too few fields",
    stopped: true,
    passwd: ["anna:x:1000:1000:Anna:/home/anna"],
    username: "",
    reason: /^line 2 of \/etc\/passwd has the uid 1000 but is not valid: it has 6 fields instead of 7/,
  },
  {
    title: "the line with the wanted name has too many fields",
    passwd: ["anna:x:1001:1001:Anna:/home/anna:/bin/sh:"],
    reason: /^line 2 of \/etc\/passwd has the name "\$USERNAME" but is not valid: it has 8 fields/,
  },
  {
    title: "the account files and their backups have modes and owners of their own",
    stopped: true,
    plant: `chmod 600 /etc/passwd /etc/group; chmod 0 /etc/gshadow; chmod 604 /etc/shadow
      echo old > /etc/passwd-; echo old > /etc/shadow-; chmod 400 /etc/passwd-; chmod 646 /etc/shadow-; chown 5:6 /etc/shadow-`,
    look: "stat -c '%n %a %u:%g' /etc/passwd /etc/group /etc/shadow /etc/gshadow /etc/passwd- /etc/shadow- /etc/gshadow-",
    there:
      /^\/etc\/passwd 600 0:0\n\/etc\/group 600 0:0\n\/etc\/shadow 604 0:0\n\/etc\/gshadow 0 0:0\n\/etc\/passwd- 400 0:0\n\/etc\/shadow- 604 5:6\n\/etc\/gshadow- 0 0:0\n$/,
  },
  {
    title: "there is neither group nor shadow nor gshadow",
    plant: "rm /etc/group /etc/shadow /etc/gshadow",
    look: "id anna; ls /etc/shadow /etc/gshadow 2>&1; stat -c '%a %u:%g' /etc/group; grep ^anna /etc/passwd",
    there: /^uid=1000\(anna\) gid=1000\(anna\) .*\n(ls: .*\n){2}644 0:0\nanna:!:1000:1000:/,
  },
  {
    title: "the skeleton holds 1,100 files, 17 MB, deep folders, links and pipes",
    stopped: true,
    plant: `cd /etc/skel; dd if=/dev/zero of=big bs=1M count=17 2>/dev/null; mkdir -p many/d; cd many; seq 1100 | xargs touch
      deep=x; for i in $(seq 60); do deep=$deep/folder; done; mkdir -p $deep; echo low > $deep/file; chmod 500 x
      ln -s /nowhere link; mkfifo pipe; mknod node c 1 3 2>/dev/null; chmod 600 1; printf x > "$(printf 'odd \\n\\377 name')"`,
    look: "cd /home/anna; stat -c '%s %U' big; find many -type f | wc -l; find . ! -type l ! -user anna; find many/x -name file | xargs cat; stat -c %a many/1 many/x; readlink many/link; ls -A /home",
    there: /^17825792 anna\n1103\nlow\n600\n500\n\/nowhere\nanna\n$/,
  },
  {
    title: "the skeleton holds more than can be copied",
    stopped: true,
    plant: "mkdir /etc/skel/many; cd /etc/skel/many; seq 10500 | xargs touch",
    reason: /^\/etc\/skel cannot be copied for a new home: \/etc\/skel\/many .*holds more than 10000/,
    look: "ls -A /home",
    there: /^$/,
  },
  {
    title: "there is a group wheel and no group sudo",
    group: ["wheel:x:10:root"],
    look: "id anna",
    there: /10\(wheel\)/,
  },
  {
    title: "the first shell of /etc/shells that a person can use is another one",
    plant: `sed -i 's#:/bin/sh#:/bin/zsh#' /etc/passwd; cp /bin/busybox /bin/hush
      printf '# shells\\r\\n\\n/sbin/nologin\\n/bin/false\\nash\\n/bin/no:thing\\n/bin/gone\\n/bin/hush # odd\\n/bin/ash\\n' > /etc/shells`,
    look: "grep ^anna: /etc/passwd",
    there: /:\/bin\/hush\n$/,
  },
  {
    title: "the shell of root is one that the container has",
    plant: "sed -i 's#:/bin/sh#:/bin/ash#' /etc/passwd; printf '/bin/sh\\n/bin/ash\\n' > /etc/shells",
    look: "grep ^anna: /etc/passwd",
    there: /:\/bin\/ash\n$/,
  },
  {
    title: "an existing user has a shell that the container does not have",
    passwd: ["anna:x:1000:1000:Anna:/home/anna:/bin/bash"],
    look: "grep ^anna: /etc/passwd",
    there: /:\/bin\/bash\n$/,
  },
  {
    title: "the existing user of a file with carriage returns",
    plant: `printf '%s\\r\\n' '${anna}' >> /etc/passwd; printf 'sudo:x:27:bob\\r\\naudio:x:29:\\r\\n' >> /etc/group`,
    look: "id -nG anna; grep ^anna: /etc/passwd",
    there: /sudo.*\nanna:.*\/bin\/sh\r\n$/,
  },
];
