import { Pace } from "../../base/pace.ts";
import {
  type Event,
  type OperationInfo,
  OperationInfo_State as State,
} from "../../contract/tremplin/v1/host_pb.js";

/** How fast the operations under way go, as far as they report how much of a known whole is done. */
export class OperationPaces {
  readonly #paces = new Map<string, Pace>();
  /** What exports have read so far, by the ids of their operations. */
  readonly #bytes = new Map<string, number>();

  of({ operation }: OperationInfo): Pace | undefined {
    return this.#paces.get(operation);
  }

  /** Events have bytes, which the list of operations has not. */
  note({ operation, notice }: Event): void {
    if (notice.case === "export") this.#bytes.set(operation, Number(notice.value.inputBytesStreamed));
  }

  /** `at`: milliseconds of a clock that only goes forward. */
  measure(operations: readonly OperationInfo[], at: number): void {
    const underWay = operations.filter(({ state }) => state === State.UNDER_WAY);
    const ids = new Set(underWay.map(({ operation }) => operation));
    for (const known of [this.#paces, this.#bytes])
      for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
    for (const { operation, percent } of underWay) {
      if (percent === undefined) continue;
      const pace = this.#paces.get(operation) ?? new Pace();
      pace.record(at, percent, this.#bytes.get(operation));
      this.#paces.set(operation, pace);
    }
  }
}
