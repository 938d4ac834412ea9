import { TremplinError } from "../base/tremplin-error.ts";

/** What other tools call it, by our command with what it does. */
const suggestions: readonly (readonly [advice: string, ...names: string[]])[] = [
  ["tremplin launch makes a container and starts it", "init", "run", "new", "add"],
  ["tremplin list lists the containers", "ls", "ps", "containers"],
  ["tremplin delete deletes a container", "rm", "del", "remove", "destroy", "purge"],
  ["tremplin exec NAME COMMAND runs a program in a container", "execute"],
  ["tremplin shell opens a shell in a container", "enter", "attach", "login", "sh", "bash"],
  ["tremplin shell opens a shell in a container, tremplin ssh-config lets ssh do so", "ssh"],
  ["tremplin share NAME FOLDER shows a folder in a container", "mount"],
  ["tremplin unshare NAME PATH ends a share", "umount", "unmount"],
  ["tremplin stop stops a container", "halt", "poweroff", "kill", "suspend", "pause", "shutdown"],
  ["tremplin restart stops a container and starts it again", "reboot"],
  ["tremplin start starts a container", "boot", "resume"],
  ["tremplin info shows the details of a container", "show", "inspect", "describe"],
  ["tremplin logs NAME shows the log of a container, tremplin history its operations", "log", "journal"],
  [
    "tremplin cp copies files to and from containers, as in tremplin cp notes.txt web:",
    ...["push", "pull", "file", "transfer", "scp"],
  ],
  ["tremplin export writes a backup of a container", "backup", "save", "dump"],
  ["tremplin import makes a container of a backup", "load", "recover"],
  ["tremplin watch prints events", "monitor", "events"],
  ["tremplin upgrade upgrades a container to another Debian release", "update", "dist-upgrade"],
  ["tremplin --version prints the version", "version"],
  ["tremplin doctor checks this computer, tremplin debug collects diagnostics", "check", "diagnose"],
  ["tremplin ports lists the ports of containers", "port"],
  ["tremplin rename NAME NEW gives a container another name", "mv", "move"],
  ["tremplin copy NAME NEW copies a container", "clone"],
  ["tremplin set NAME KEY=VALUE changes settings, tremplin get shows them", "config", "configure"],
  ["tremplin top shows what the running containers use", "stats"],
];

/** Throws `invalid` for a word that is no command although another tool has one of that name. */
export function suggestForOtherName(word: string): void {
  const advice = suggestions.find(([, ...names]) => names.includes(word))?.[0];
  if (advice) throw new TremplinError("invalid", `there is no command "${word}": ${advice}`);
}
