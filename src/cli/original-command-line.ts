/** What `tremplin -lxd_subnet CIDR` says in our own words (behaviour.md 1.1, 1.2). */
const MEANING = [
  "daemon",
  ...["--site", "crostini"],
  ...["--listen", "vsock:any:8890"],
  ...["--host", "vsock:host:7778"],
  ...["--state", "/mnt/stateful"],
  ...["--shared", "/mnt/shared"],
];

/**
 * Turns the original daemon's command line into ours; any other is returned as it is. Its flags follow the
 * rules of Go: one dash or two, the value after `=` or as the next word. `-feature` may be repeated, and is
 * understood behind `daemon` too. What it did not know is handed on, to be refused with a sentence.
 */
export function readOriginalCommandLine(words: readonly string[]): readonly string[] {
  if (words[0] === "daemon") return ["daemon", ...translated(words.slice(1))];
  if (!words[0] || !flag(words[0])) return words;
  return [...MEANING, ...translated(words)];
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
