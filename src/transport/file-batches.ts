import type { MessageInitShape } from "@bufbuild/protobuf";
import { batches } from "../base/async/batches.ts";
import type { FileItemSchema } from "../contract/tremplin/v1/guest_pb.js";

type Item = MessageInitShape<typeof FileItemSchema>;

const BATCH_BYTES = 128 * 1024;
/** What an item weighs in a batch, beside its data and its names. */
const ITEM_BYTES = 128;

/** The items of a tree of files, as many together as a message of ReadFiles or WriteFiles should have. */
export function fileBatches<T extends Item>(items: AsyncIterable<T>): AsyncGenerator<T[], void, void> {
  return batches(items, BATCH_BYTES, weightOf);
}

function weightOf({ item }: Item): number {
  if (item?.case === "data") return ITEM_BYTES + (item.value?.length ?? 0);
  if (item?.case === "skipped") return ITEM_BYTES + 2 * (item.value.path?.length ?? 0);
  if (item?.case === "end" || !item?.case) return ITEM_BYTES;
  return ITEM_BYTES + (item.value.name?.length ?? 0) + (item.value.target?.length ?? 0);
}
