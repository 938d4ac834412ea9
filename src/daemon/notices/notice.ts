import { create, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import { TremplinListener } from "../../contract/tremplin_pb.js";

/** The rpcs of the listener, by their names in code: updateStartStatus ... */
export type ListenerMethod = keyof typeof TremplinListener.method;

/** The content from which the message of a notice is created. */
export type NoticeInit<M extends ListenerMethod> = MessageInitShape<
  (typeof TremplinListener.method)[M]["input"]
>;

/** One call of the listener, not yet made. Immutable. */
export interface Notice<M extends ListenerMethod = ListenerMethod> {
  readonly method: M;
  readonly message: MessageShape<(typeof TremplinListener.method)[M]["input"]>;
}

/** The name of an rpc of the listener as the contract writes it: UpdateStartStatus ... */
export function rpcName(method: ListenerMethod): string {
  return TremplinListener.method[method].name;
}

/** Creates a notice from a copy of its content, so that nothing can change it while it waits. */
export function notice<M extends ListenerMethod>(method: M, init: NoticeInit<M>): Notice<M> {
  const schema = TremplinListener.method[method].input;
  // The compiler cannot see that schema and init belong together for a generic M.
  return Object.freeze({ method, message: create(schema as never, init as never) }) as Notice<M>;
}
