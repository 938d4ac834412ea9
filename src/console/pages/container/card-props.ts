import type { ActionInfo } from "../../../contract/tremplin/v1/host_pb.js";
import type { Target } from "../../api/actions.ts";

export interface CardProps {
  readonly target: Target;
  /** What the host says is legal now. */
  readonly actions: readonly ActionInfo[];
  /** Another one whenever an operation on the container has begun or ended. */
  readonly changed: string;
}
