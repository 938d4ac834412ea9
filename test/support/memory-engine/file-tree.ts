import { posix } from "node:path";

/** A file, folder or link. */
export interface FileNode {
  readonly type: "file" | "directory" | "symlink" | "pipe";
  /** Of a link: where it leads. */
  readonly content: Buffer;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  /** Seconds since 1970. Default: 0. */
  readonly modified?: number;
}

const root = { uid: 0, gid: 0 };

/** The files of an instance, by their absolute paths. Folders come into being with what is in them. */
export class FileTree {
  readonly #nodes: Map<string, FileNode>;
  /** How many bytes fit. */
  free = 2 ** 40;
  isReadOnly = false;

  constructor(files: Readonly<Record<string, string>> = {}) {
    this.#nodes = new Map([["/", folder()]]);
    for (const [path, text] of Object.entries(files)) this.write(path, text);
  }

  /** The same files again, that change on their own. */
  copy(): FileTree {
    const copy = new FileTree();
    for (const [path, node] of this.#nodes) copy.set(path, node);
    return copy;
  }

  get(path: string): FileNode | undefined {
    return this.#nodes.get(normal(path));
  }

  set(path: string, node: FileNode): void {
    this.#nodes.set(normal(path), node);
  }

  delete(path: string): void {
    this.#nodes.delete(normal(path));
  }

  /** The names in a folder. */
  names(path: string): string[] {
    const prefix = normal(path) === "/" ? "/" : `${normal(path)}/`;
    return [...this.#nodes.keys()]
      .filter((each) => each !== "/" && each.startsWith(prefix) && !each.slice(prefix.length).includes("/"))
      .map((each) => each.slice(prefix.length));
  }

  /** Writes a text file of root, and the folders on the way to it. */
  write(path: string, text: string): void {
    const parts = normal(path).split("/").slice(1, -1);
    for (let depth = 1; depth <= parts.length; depth++) {
      const above = `/${parts.slice(0, depth).join("/")}`;
      if (!this.#nodes.has(above)) this.#nodes.set(above, folder());
    }
    this.set(path, { type: "file", content: Buffer.from(text), ...root, mode: 0o644 });
  }

  /** As get(), links followed. */
  behindLinks(path: string): FileNode | undefined {
    const node = this.get(path);
    if (node?.type !== "symlink") return node;
    const target = node.content.toString();
    return this.behindLinks(target.startsWith("/") ? target : `${path}/../${target}`);
  }

  makeFolder(path: string): void {
    this.set(path, folder());
  }

  /** Makes a link at `path` that leads to `target`. */
  link(path: string, target: string): void {
    this.set(path, { type: "symlink", content: Buffer.from(target), ...root, mode: 0o777 });
  }

  /** In the place of what has the new name, with all that is below it. False where there is nothing at `path`. */
  rename(path: string, newPath: string): boolean {
    const [from, to] = [normal(path), normal(newPath)];
    const moved = [...this.#nodes].filter(([each]) => each === from || each.startsWith(`${from}/`));
    for (const [each, node] of moved) {
      this.delete(each);
      this.set(to + each.slice(from.length), node);
    }
    return moved.length > 0;
  }

  /** All plain files with their texts. */
  texts(): [path: string, text: string][] {
    const files = [...this.#nodes].filter(([, { type }]) => type === "file");
    return files.map(([path, { content }]) => [path, content.toString()]);
  }

  /** The text of a file; undefined where there is none. */
  read(path: string): string | undefined {
    const node = this.get(path);
    return node?.type === "file" ? node.content.toString() : undefined;
  }
}

function folder(): FileNode {
  return { type: "directory", content: Buffer.alloc(0), ...root, mode: 0o755 };
}

function normal(path: string): string {
  return posix.join("/", path).replace(/(?<=.)\/$/, "");
}
