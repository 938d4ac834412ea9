import { pathText } from "../../base/file-name.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { Item } from "./read-own.ts";

/** The names that several sources get in one folder. */
export class SourceNames {
  readonly #names = new Set<string>();

  /** Takes the first item of a source. Throws where an earlier one has its name, and would be replaced by it. */
  add({ item }: Item): void {
    if (item?.case !== "file" && item?.case !== "folder" && item?.case !== "link") return;
    const name = Buffer.from(item.value.name ?? []);
    if (!this.#names.has(name.toString("latin1"))) {
      this.#names.add(name.toString("latin1"));
      return;
    }
    const sentence = `two of the sources are called ${pathText(name)}, and the second would replace the first: copy them to different places`;
    throw new TremplinError("failed", sentence);
  }
}
