import { TremplinError } from "../../base/tremplin-error.ts";

/** What `tremplin -lxd_subnet CIDR` says in our own words (behaviour.md 1.1 to 1.3). */
const MEANING = [
  "daemon",
  ...["--site", "crostini"],
  ...["--listen", "vsock:any:8890"],
  ...["--host", "vsock:host:7778"],
  ...["--state", "/mnt/stateful"],
  ...["--shared", "/mnt/shared"],
  ...["--log", "syslog"],
];

/**
 * Turns the original daemon's command line into ours; any other is returned as it is. Its flags follow the
 * rules of Go: one dash or two, the value after `=` or as the next word. `-feature` may be repeated, and is
 * understood behind `daemon` too. What it did not know is handed on, to be refused with a sentence; without
 * `-lxd_subnet` it does not start (1.3), which throws `invalid`.
 */
export function readOriginalCommandLine(words: readonly string[]): readonly string[] {
  if (words[0] === "daemon") return ["daemon", ...translated(words.slice(1))];
  if (!words[0] || !flag(words[0])) return words;
  const meant = translated(words);
  if (!meant.includes("--lxd-subnet")) {
    throw new TremplinError(
      "invalid",
      "say the bridge's address and prefix length: -lxd_subnet 100.115.92.193/28",
    );
  }
  return [...MEANING, ...meant];
}

function translated(words: readonly string[]): string[] {
  return words.flatMap((word) => flag(word) ?? [word]);
}

/** One of its flags as one of ours, with its value if that is behind a `=`. */
function flag(word: string): string[] | undefined {
  const match = /^--?(lxd_subnet|feature)(?:=(.*))?$/s.exec(word);
  if (!match) return undefined;
  const name = match[1] === "feature" ? "--feature" : "--lxd-subnet";
  return match[2] === undefined ? [name] : [name, match[2]];
}
