// Which part of src/ may import which: scripts/layers.json has a row for each room. "src/base" is the folder with all
// that is in it; "src/daemon/*.ts" are the files of that folder alone. Where two rows fit a file, the longer one counts.
import { dirname, join } from "node:path";
import { filesIn, lineOf } from "./tree.mjs";

const TABLE = "scripts/layers.json";

export function checkLayers(tree) {
  const table = JSON.parse(tree.get(TABLE) ?? "{}");
  const sources = [...tree].filter(([path]) => /^src\/.*(?<!\.d)\.[tj]s$/.test(path));
  const inhabited = new Set(sources.map(([path]) => roomOf(path, table)));
  return [
    ...Object.keys(table).flatMap((room) => tableProblems(room, table, inhabited)),
    ...findCycles(table).map((cycle) => `${TABLE}:1: rooms import each other: ${cycle.join(" -> ")}`),
    ...foldersWithoutRoom(sources, table),
    ...filesIn(new Map(sources), "src").flatMap(([path, text]) => importProblems(path, text, table)),
  ];
}

function tableProblems(room, table, inhabited) {
  const unknown = table[room].filter((other) => !(other in table));
  const problems = unknown.map(
    (other) => `${TABLE}:1: ${room} may import ${other}, which has no row of its own`,
  );
  if (!inhabited.has(room)) problems.push(`${TABLE}:1: ${room} has no file; remove its row`);
  return problems;
}

function foldersWithoutRoom(sources, table) {
  const lost = sources.map(([path]) => path).filter((path) => roomOf(path, table) === undefined);
  const folders = new Set(lost.map((path) => dirname(path)));
  return [...folders].map((folder) => `${folder}:1: this folder is in no room; give it a row in ${TABLE}`);
}

function importProblems(path, text, table) {
  const from = roomOf(path, table);
  if (from === undefined) return [];
  return findImports(text).flatMap(({ target, offset }) => {
    const file = join(dirname(path), target);
    const where = `${path}:${lineOf(text, offset)}`;
    if (!file.startsWith("src/")) {
      if (file.endsWith(".json") || (path.endsWith(".test.ts") && file.startsWith("test/"))) return [];
      return [`${where}: imports ${file}, which is outside of src/; move what it needs into src/`];
    }
    const to = roomOf(file, table);
    if (to === undefined || to === from || table[from].includes(to)) return [];
    return [`${where}: ${from} may not import ${to} (${file}); move the code, or change ${TABLE}`];
  });
}

/** The row that a file belongs to. */
export function roomOf(path, table) {
  const fits = (room) =>
    room.endsWith("/*.ts") ? dirname(path) === room.slice(0, -"/*.ts".length) : path.startsWith(`${room}/`);
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

/** Each cycle of the table once, as the rooms on the way, the first one again at the end. */
export function findCycles(table) {
  const cycles = [];
  const done = new Set();
  const visit = (room, way) => {
    if (way.includes(room)) cycles.push([...way.slice(way.indexOf(room)), room]);
    else if (!done.has(room)) {
      for (const other of table[room] ?? []) visit(other, [...way, room]);
      done.add(room);
    }
  };
  for (const room of Object.keys(table)) visit(room, []);
  return cycles;
}
