import * as z from "zod";
import { JsonFile } from "../../base/files/json-file.ts";
import type { Logger } from "../../base/logger.ts";

const ids = z.object({ uid: z.int().min(0), gid: z.int().min(0) });
/** Of the machine, where root shares nothing. */
const owner = z.object({ uid: z.int().min(1), gid: z.int().min(1) });
const recordSchema = z.object({
  /** The folder of the machine, with links resolved. */
  source: z.string(),
  readOnly: z.boolean(),
  /** Who owns files on the machine that belong to the person in the container. Without: nothing is mapped. */
  owner: owner.optional(),
  /** The person in the container, who may be in the group of root there. */
  person: ids,
  /** Which ids of the machine the person's are outside of the container, when it was mounted last. */
  outside: ids,
  /** The engine that has its containers. Another one does not know them; without, it was shared by an older daemon. */
  engine: z.string().optional(),
});
const schema = z.object({ shares: z.record(z.string(), recordSchema) });

export type ShareRecord = Readonly<z.infer<typeof recordSchema>>;
export type Ids = z.infer<typeof ids>;

/**
 * What is shared, in a file that outlives the daemon: the folders must be mounted before an engine starts containers. The
 * devices of containers say where each is seen. A device without a record shows nothing, wherever it came from: a
 * snapshot, a copy or a backup of another machine.
 */
export class ShareRecords {
  readonly #file: JsonFile<typeof schema>;
  #records: ReadonlyMap<string, ShareRecord>;

  private constructor(file: JsonFile<typeof schema>, records: ReadonlyMap<string, ShareRecord>) {
    this.#file = file;
    this.#records = records;
  }

  static async open(path: string, log: Logger): Promise<ShareRecords> {
    const without = "no folder of the machine is shown in a container; share them again";
    const file = new JsonFile({ path, schema, without });
    const found = await file.readOrSetAside(log);
    return new ShareRecords(file, new Map(Object.entries(found?.shares ?? {})));
  }

  get all(): ReadonlyMap<string, ShareRecord> {
    return this.#records;
  }

  /** Durable when it resolves. Undefined removes the record. */
  async set(id: string, record: ShareRecord | undefined): Promise<void> {
    const changed = new Map(this.#records);
    if (record) changed.set(id, record);
    else changed.delete(id);
    await this.#file.writeIfChanged({ shares: Object.fromEntries(changed) });
    this.#records = changed;
  }
}
