import { PAGE_KEY } from "../../base/page-key.ts";

/** A page without a program: a title, some sentences, and a command to type. */
export interface SentencePage {
  readonly title: string;
  readonly sentences: readonly string[];
  readonly command?: string;
  /** The page that follows at once. */
  readonly next?: string;
  /** A secret that the browser keeps for the pages of the console, which then follow. */
  readonly pageKey?: string;
}

/** What a page refers to, by their paths. */
export interface PageFiles {
  readonly style: string;
  readonly icon: string;
  /** The program that keeps a key. */
  readonly signIn: string;
}

/** Its HTML. */
export function sentencePage(
  { title, sentences, command, next, pageKey }: SentencePage,
  { style, icon, signIn }: PageFiles,
): string {
  const lines = [
    "<!doctype html>",
    '<html lang="en">',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    next === undefined ? "" : `<meta http-equiv="refresh" content="0; url=${escapeHtml(next)}">`,
    pageKey === undefined ? "" : `<meta name="${PAGE_KEY}" content="${escapeHtml(pageKey)}">`,
    pageKey === undefined ? "" : `<script type="module" src="${escapeHtml(signIn)}"></script>`,
    `<title>${escapeHtml(title)} – Tremplin</title>`,
    `<link rel="icon" href="${escapeHtml(icon)}" type="image/svg+xml">`,
    `<link rel="stylesheet" href="${escapeHtml(style)}">`,
    '<main class="sentence-page">',
    `<h1>${escapeHtml(title)}</h1>`,
    ...sentences.map((each) => `<p>${escapeHtml(each)}</p>`),
    command === undefined ? "" : `<pre><code>${escapeHtml(command)}</code></pre>`,
    next === undefined ? "" : `<p><a href="${escapeHtml(next)}">Go on</a></p>`,
    "</main>",
  ];
  return `${lines.filter((line) => line !== "").join("\n")}\n`;
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => entities[character] as string);
}
