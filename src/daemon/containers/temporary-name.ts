/**
 * Names that containers have while they are being made: nobody outside hears of them, and none of them is
 * accepted in a request. The id of the operation keeps those of two operations apart.
 */
export function temporaryName(purpose: "create" | "import" | "aside", operationId: string): string {
  return `tremplin-${purpose}-${operationId}`;
}

/** Whether a name is of that form, or one of the names that older daemons used (behaviour.md 2.1). */
export function isTemporaryName(name: string): boolean {
  return (
    /^tremplin-(create|import|aside)-([0-9a-f]{8}|[0-9a-f]{16})$/.test(name) ||
    /-crostini-(remap|recover)$/.test(name) ||
    name === "crostini-inprogress-create" ||
    name === "rootfs-import"
  );
}
