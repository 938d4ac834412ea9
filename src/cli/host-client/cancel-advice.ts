/** The operations that a command can cancel from elsewhere, by the command's name. */
const commands = ["export", "import", "upgrade"] as const;

export type CancellingCommand = (typeof commands)[number];

/** How to cancel an operation of a container, as the end of a sentence; empty where no command does. */
export function cancelAdvice(command: CancellingCommand | undefined, container: string): string {
  return command === undefined ? "" : `, or cancel it with tremplin ${command} ${container} --cancel`;
}

/** The command that cancels an operation, by what the guest calls that. */
export function cancellingCommand(operation: string): CancellingCommand | undefined {
  return commands.find((each) => each === operation);
}
