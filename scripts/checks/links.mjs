// Every reference leads somewhere: links and anchors in *.md, paths of documents in comments, messages and texts, and
// the sources that documents name.
import { dirname, join } from "node:path";
import { anchorsOf, withoutBlocks, withoutCode } from "./markdown.mjs";
import { filesIn, lineOf } from "./tree.mjs";

/** A document by its path, with an anchor or without: docs/api.md#notices. A part of an address is none. */
const DOCUMENT = /(?<![\w@:/.-])(?:[\w-]+\/|\.{1,2}\/)*[\w-]+\.md\b(?:#[\w-]+)?/g;
/** [text](target "title"), and [name]: target in a line of its own. */
const LINK = /(?:\[[^[\]]*)?\]\(\s*<?([^()\s>]+)>?[^()]*\)|^\[[^\]]+\]:[ \t]*(\S+).*$/gm;
/** What documents name as a file or folder of the repository. A word in capitals (NAME) stands for any. */
const SOURCE =
  /^(?:[\w.-]+\/)*[\w.-]+\.(?:[cm]?ts|mjs|proto)$|^\.?(?:src|test|scripts|bench|proto|docs|bin|ci|github)\/[\w./-]*$/;
/** References without a file name: docs/decisions/0001, "design: Interface". */
const UNFINISHED = /(?<![\w/.-])docs\/(?!\S*\.md\b)[\w/-]*\w|\bdesign:/g;
const PLACEHOLDER = /(?<![A-Za-z])[A-Z]{2,}(?![a-z])/;

export function checkLinks(tree) {
  const documents = [...tree].filter(([path]) => path.endsWith(".md"));
  // The checks themselves have examples of what is wrong.
  const sources = filesIn(tree, "src", "test", "scripts", "bench", "proto").filter(
    ([path]) => !path.startsWith("scripts/checks/"),
  );
  return [
    ...documents.flatMap(([path, text]) => documentProblems(path, text, tree)),
    ...sources.flatMap(([path, text]) => textProblems(path, text, ".", tree)),
  ];
}

function documentProblems(path, text, tree) {
  const prose = withoutCode(text);
  const at = (index) => `${path}:${lineOf(text, index)}`;
  const links = [...prose.matchAll(LINK)].flatMap(({ 1: inline, 2: definition, index }) => {
    const problem = linkProblem(inline ?? definition, path, tree);
    return problem ? [`${at(index)}: ${problem}`] : [];
  });
  const names = [...withoutBlocks(text).matchAll(/`([^`\n]+)`/g)]
    .filter(({ 1: name }) => !isInTree(name, tree))
    .map(({ 1: name, index }) => `${at(index)}: there is no ${name}; name a file that exists`);
  const rest = prose.replace(LINK, (link) => " ".repeat(link.length));
  return [...links, ...names, ...textProblems(path, rest, dirname(path), tree)];
}

function linkProblem(link, path, tree) {
  if (/^[a-z][a-z0-9+.-]*:/i.test(link)) return undefined;
  const [target, anchor] = decodeURI(link).split("#");
  const folder = target.startsWith("/") ? "." : dirname(path);
  const file = target ? join(folder, target.replace(/^\//, "./")) : path;
  if (!exists(file, tree)) return `the link leads to ${file}, which does not exist`;
  return anchor ? anchorProblem(file, anchor, tree) : undefined;
}

/** Documents are named by their paths from the root, or from `folder`. */
function textProblems(path, text, folder, tree) {
  const documents = [...text.matchAll(DOCUMENT)].map(({ 0: reference, index }) => {
    const [name, anchor] = reference.split("#");
    const file = [name, join(folder, name)].find((candidate) => tree.has(candidate));
    if (!file)
      return { index, problem: `there is no ${name}; name a file that exists, by its path from the root` };
    return { index, problem: anchor && anchorProblem(file, anchor, tree) };
  });
  const others = [...text.matchAll(UNFINISHED)].map(({ 0: reference, index }) => {
    return {
      index,
      problem: exists(reference, tree) ? undefined : `${reference} is no document; name its file`,
    };
  });
  return [...documents, ...others]
    .filter(({ problem }) => problem)
    .map(({ index, problem }) => `${path}:${lineOf(text, index)}: ${problem}`);
}

function anchorProblem(file, anchor, tree) {
  if (!file.endsWith(".md")) return `${file} has no anchors; link to the file`;
  if (anchorsOf(tree.get(file)).has(anchor)) return undefined;
  return `${file} has no heading with the anchor #${anchor}`;
}

function isInTree(name, tree) {
  if (!SOURCE.test(name) || PLACEHOLDER.test(name)) return true;
  return exists(name, tree) || [...tree.keys()].some((path) => path.endsWith(`/${name}`));
}

function exists(path, tree) {
  const folder = path.replace(/\/?$/, "/");
  return path === "." || tree.has(path) || [...tree.keys()].some((file) => file.startsWith(folder));
}
