/**
 * The name of a temporary container. It appears in no answer and no notice, and requests that use such a name are
 * refused. The id of the operation keeps those of two operations apart.
 */
export function temporaryName(purpose: "create" | "import" | "aside", operationId: string): string {
  return `tremplin-${purpose}-${operationId}`;
}

/** Whether a name has that form, or is one that older daemons used (docs/contract.md#names). */
export function isTemporaryName(name: string): boolean {
  return (
    /^tremplin-(create|import|aside)-([0-9a-f]{8}|[0-9a-f]{16})$/.test(name) ||
    /-crostini-(remap|recover)$/.test(name) ||
    name === "crostini-inprogress-create" ||
    name === "rootfs-import"
  );
}
