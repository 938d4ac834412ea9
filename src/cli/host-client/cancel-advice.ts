import { refusalOf } from "../../actions/container-actions.ts";

/** How to cancel an operation of a container, as the end of a sentence; empty where no command does. */
export function cancelAdvice(kind: string, container: string): string {
  const operation = { kind };
  if (refusalOf("cancel", { name: container, state: "", operation })) return "";
  return `, or cancel it with tremplin ${kind} ${container} --cancel`;
}
