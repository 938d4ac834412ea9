// Which part of src/ may import which: scripts/layers.json has a row for each module. "src/base" is the folder with all
// that is in it; "src/daemon/*.ts" are the files of that folder alone. Where two rows fit a file, the longer one counts.
import { dirname, join } from "node:path";
import { filesIn, lineOf } from "./tree.mjs";

const TABLE = "scripts/layers.json";

export function checkLayers(tree) {
  const table = JSON.parse(tree.get(TABLE) ?? "{}");
  const sources = [...tree].filter(([path]) => /^src\/.*(?<!\.d)\.[tj]sx?$/.test(path));
  const used = new Set(sources.map(([path]) => moduleOf(path, table)));
  return [
    ...Object.keys(table).flatMap((module) => tableProblems(module, table, used)),
    ...findCycles(table).map((cycle) => `${TABLE}:1: modules import each other: ${cycle.join(" -> ")}`),
    ...foldersWithoutModule(sources, table),
    ...filesIn(new Map(sources), "src").flatMap(([path, text]) => importProblems(path, text, table)),
  ];
}

function tableProblems(module, table, used) {
  const unknown = table[module].filter((other) => !(other in table));
  const problems = unknown.map(
    (other) => `${TABLE}:1: ${module} may import ${other}, which has no row of its own`,
  );
  if (!used.has(module)) problems.push(`${TABLE}:1: ${module} has no file; remove its row`);
  return problems;
}

function foldersWithoutModule(sources, table) {
  const lost = sources.map(([path]) => path).filter((path) => moduleOf(path, table) === undefined);
  const folders = new Set(lost.map((path) => dirname(path)));
  return [...folders].map((folder) => `${folder}:1: this folder is in no module; give it a row in ${TABLE}`);
}

function importProblems(path, text, table) {
  const from = moduleOf(path, table);
  if (from === undefined) return [];
  return findImports(text).flatMap(({ target, offset }) => {
    const file = join(dirname(path), target);
    const where = `${path}:${lineOf(text, offset)}`;
    if (!file.startsWith("src/")) {
      if (file.endsWith(".json") || (path.endsWith(".test.ts") && file.startsWith("test/"))) return [];
      return [`${where}: imports ${file}, which is outside of src/; move what it needs into src/`];
    }
    const to = moduleOf(file, table);
    if (to === undefined || to === from || table[from].includes(to)) return [];
    return [`${where}: ${from} may not import ${to} (${file}); move the code, or change ${TABLE}`];
  });
}

/** The row that a file belongs to. */
export function moduleOf(path, table) {
  const fits = (module) =>
    module.endsWith("/*.ts")
      ? dirname(path) === module.slice(0, -"/*.ts".length)
      : path.startsWith(`${module}/`);
  return Object.keys(table)
    .filter(fits)
    .sort((a, b) => b.length - a.length)[0];
}

/** The relative paths that a source imports, of types too, and where it does. */
export function findImports(source) {
  const code = source.replace(/^[ \t]*(\/\/|\/?\*).*$/gm, (comment) => " ".repeat(comment.length));
  const pattern = /(?:\bfrom|\bimport)\s*\(?\s*["'](\.[^"']+)["']/g;
  return [...code.matchAll(pattern)].map(({ 1: target, index }) => ({ target, offset: index }));
}

/** Each cycle of the table once, as the modules on the way, the first one again at the end. */
export function findCycles(table) {
  const cycles = [];
  const done = new Set();
  const visit = (module, way) => {
    if (way.includes(module)) cycles.push([...way.slice(way.indexOf(module)), module]);
    else if (!done.has(module)) {
      for (const other of table[module] ?? []) visit(other, [...way, module]);
      done.add(module);
    }
  };
  for (const module of Object.keys(table)) visit(module, []);
  return cycles;
}
