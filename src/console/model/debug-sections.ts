export interface DebugSection {
  readonly title: string;
  readonly body: string;
}

/** The parts of the text of GetDebugInfo, each of which begins with a line `== title`. Of another text, one part. */
export function debugSections(text: string): DebugSection[] {
  const sections: { title: string; lines: string[] }[] = [];
  for (const line of text.split("\n")) {
    const title = /^== (.+)$/.exec(line)?.[1];
    if (title !== undefined) sections.push({ title, lines: [] });
    else if (sections.length > 0 || line !== "") {
      if (sections.length === 0) sections.push({ title: "What it says", lines: [] });
      sections.at(-1)?.lines.push(line);
    }
  }
  return sections.map(({ title, lines }) => ({ title, body: lines.join("\n").trim() }));
}
