/** What an operation that is under way is called, by the guest's own word for its kind. */
const kinds: Readonly<Record<string, string>> = {
  create: "Create",
  copy: "Copy",
  rename: "Rename",
  delete: "Delete",
  start: "Start",
  restart: "Restart",
  stop: "Stop",
  export: "Backup",
  import: "Restore",
  upgrade: "Release upgrade",
  "undo-upgrade": "Rollback of the upgrade",
  "keep-upgrade": "Commit of the upgrade",
  snapshot: "Snapshot",
  restore: "Return to a snapshot",
  "start-lxd": "Start of the engine",
};

/** By its notices alone: those of some kinds report several kinds of operations. */
const notices: Readonly<Record<string, string>> = {
  create: "Create, copy or rename",
  start: "Start or restart",
  upgrade: "Upgrade, snapshot or restore",
  start_lxd: "Start of the engine",
};

/** `kind`: the guest's word for it, if it is known. */
export function operationTitle(noticeKind: string, kind?: string): string {
  const title = kind === undefined ? undefined : kinds[kind];
  return title ?? notices[noticeKind] ?? kinds[noticeKind] ?? noticeKind.replaceAll("_", " ");
}
