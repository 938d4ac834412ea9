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
 * rules of Go: one dash or two, the value after `=` or as the next word. `-feature` may be repeated. What
 * follows that it did not know is handed on, to be refused with a sentence.
 */
export function readOriginalCommandLine(words: readonly string[]): readonly string[] {
  if (!words[0] || !flag(words[0])) return words;
  const meaning = [...MEANING];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    const [name, value] = flag(word) ?? [];
    if (!name) {
      meaning.push(word);
      continue;
    }
    meaning.push(name);
    const given = value ?? words[++at];
    if (given !== undefined) meaning.push(given);
  }
  return meaning;
}

function flag(word: string): [name: string, value: string | undefined] | undefined {
  const match = /^--?(lxd_subnet|feature)(?:=(.*))?$/s.exec(word);
  return match?.[1] ? [match[1] === "feature" ? "--feature" : "--lxd-subnet", match[2]] : undefined;
}
