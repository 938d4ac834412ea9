import { globSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const NOT_OURS = /^(node_modules|dist|\.git)$/;
const GENERATED = "src/contract/";

/** Every file of the repository, also those that git does not know yet: the path from its root, and the text. */
export function readTree(root) {
  const exclude = ({ name }) => NOT_OURS.test(name);
  // Names that begin with a dot are only matched where a pattern names them.
  const entries = globSync(["**/*", "{.ci,.github}/**/*", ".npmrc"], {
    cwd: root,
    withFileTypes: true,
    exclude,
  });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  return new Map(files.sort().map((file) => [relative(root, file), readFileSync(file, "utf8")]));
}

/** The files in some of the folders, without generated code, as pairs of path and text. */
export function filesIn(tree, ...folders) {
  return [...tree].filter(
    ([path]) => folders.some((folder) => path.startsWith(`${folder}/`)) && !path.startsWith(GENERATED),
  );
}

/** The number of the line that has the character at `offset`. */
export function lineOf(text, offset) {
  return text.slice(0, offset).split("\n").length;
}
