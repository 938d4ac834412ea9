interface Words {
  readonly title: string;
  /** What it is doing, where its notices would say what another kind does. They have no percentage then. */
  readonly step?: string;
}

/** The words for an operation that is under way, by the guest's own word for its kind. */
const kinds: Readonly<Record<string, Words>> = {
  create: { title: "Create" },
  copy: { title: "Copy", step: "copying the container" },
  rename: { title: "Rename", step: "renaming the container" },
  delete: { title: "Delete" },
  start: { title: "Start" },
  restart: { title: "Restart", step: "restarting" },
  stop: { title: "Stop" },
  export: { title: "Backup" },
  import: { title: "Restore" },
  upgrade: { title: "Release upgrade" },
  "undo-upgrade": { title: "Rollback of the upgrade" },
  "keep-upgrade": { title: "Commit of the upgrade" },
  snapshot: { title: "Snapshot" },
  restore: { title: "Return to a snapshot" },
  "start-lxd": { title: "Start of the engine" },
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
  const title = kind === undefined ? undefined : kinds[kind]?.title;
  return title ?? notices[noticeKind] ?? kinds[noticeKind]?.title ?? noticeKind.replaceAll("_", " ");
}

/** What an operation is doing now: what its notices say, unless those are the words of another kind. */
export function operationStep(
  { kind: noticeKind, text, percent }: Reported,
  kind: string | undefined,
): Pick<Reported, "text" | "percent"> {
  const step = kind === undefined ? undefined : kinds[kind]?.step;
  if (step !== undefined) return { text: step };
  // Notices of a creation are those of copies and renames too: without a percentage nothing says that it is fetched.
  if (kind === undefined && noticeKind === "create" && !percent) return { text: "under way" };
  return { text, ...(percent !== undefined && { percent }) };
}

interface Reported {
  readonly kind: string;
  readonly text: string;
  readonly percent?: number | undefined;
}
