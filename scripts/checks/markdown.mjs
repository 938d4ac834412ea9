const HEADING = /^ {0,3}#{1,6}[ \t]+(.+?)(?:[ \t]+#+)?[ \t]*$/gm;

/** The anchors that GitHub gives to the headings of a document, and those that it has written out. */
export function anchorsOf(markdown) {
  const anchors = new Set([...markdown.matchAll(/<a (?:id|name)="([^"]+)"/g)].map(({ 1: id }) => id));
  for (const { 1: heading } of withoutBlocks(markdown).matchAll(HEADING)) {
    const slug = slugOf(heading);
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count += 1) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** GitHub's rule: small letters, spaces become `-`, and of the rest letters, digits, `-` and `_` stay. */
export function slugOf(heading) {
  const text = heading.replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/<[^>]+>/g, "");
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, "")
    .replaceAll(" ", "-");
}

/** The same text, at the same places, without blocks between ``` or ~~~. */
export function withoutBlocks(markdown) {
  const blank = (block) => block.replace(/[^\n]/g, " ");
  return markdown.replace(/^ {0,3}(```+|~~~+)[^\n]*\n[\s\S]*?(?:^ {0,3}\1[^\n]*$|(?![\s\S]))/gm, blank);
}

/** The same text, at the same places, without blocks and without `code`. */
export function withoutCode(markdown) {
  return withoutBlocks(markdown).replace(/(`+)(?!`)[^\n]*?[^`\n]\1(?!`)/g, (code) => " ".repeat(code.length));
}
