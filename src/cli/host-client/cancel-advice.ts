/** The operations that a command can cancel, by the name of both. */
const CANCELLABLE = ["upgrade", "export", "import"];

/** How to cancel an operation of a container, as the end of a sentence; empty where no command does. */
export function cancelAdvice(kind: string, container: string): string {
  return CANCELLABLE.includes(kind) ? `, or cancel it with tremplin ${kind} ${container} --cancel` : "";
}
