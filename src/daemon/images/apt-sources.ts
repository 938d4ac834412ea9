/** One place of packages: what one line of sources.list, or one combination in a .sources file, says. */
export interface AptSource {
  /** Without a slash at its end. */
  readonly uri: string;
  readonly suite: string;
  readonly components: readonly string[];
  /** Path of a key ring, or empty. */
  readonly signedBy: string;
}

/** Reads sources.list(5)'s one-line style. What is not a line for binary packages is left out. */
export function parseOneLineSources(text: string): AptSource[] {
  return text.split("\n").flatMap((line) => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)([^#]*)/.exec(line);
    if (!match) return [];
    const [, options = "", uri = "", suite = "", components = ""] = match;
    const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1] ?? "";
    return [source(uri, suite, words(components), signedBy)];
  });
}

/** Reads sources.list(5)'s deb822 style: stanzas of fields, which may go on in lines that begin with a space. */
export function parseStanzaSources(text: string): AptSource[] {
  const lines = text.split("\n").filter((line) => !line.startsWith("#"));
  return lines
    .join("\n")
    .split(/\n\s*\n/)
    .flatMap((stanza) => {
      const fields = new Map<string, string>();
      for (const field of stanza.replace(/\n[ \t]+/g, " ").split("\n")) {
        const [, name, value] = /^([\w-]+):\s*(.*)$/.exec(field) ?? [];
        if (name && value) fields.set(name.toLowerCase(), value);
      }
      const list = (name: string): string[] => words(fields.get(name) ?? "");
      if (!list("types").includes("deb") || /^(no|false|0)$/i.test(fields.get("enabled") ?? "")) return [];
      const signedBy = list("signed-by")[0] ?? "";
      return list("uris").flatMap((uri) =>
        list("suites").map((suite) => source(uri, suite, list("components"), signedBy)),
      );
    });
}

function source(uri: string, suite: string, components: string[], signedBy: string): AptSource {
  return { uri: uri.replace(/\/+$/, ""), suite, components, signedBy };
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
