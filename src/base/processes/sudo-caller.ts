/** The ids of an account. */
export interface AccountIds {
  readonly uid: number;
  readonly gid: number;
}

/** The account that became root by sudo, for this program; undefined where none did, or root itself. */
export function sudoCaller({
  env,
  getuid,
}: Pick<NodeJS.Process, "env" | "getuid"> = process): AccountIds | undefined {
  const [uid, gid] = [Number(env.SUDO_UID), Number(env.SUDO_GID)];
  const isOne = getuid?.() === 0 && Number.isInteger(uid) && Number.isInteger(gid) && uid > 0;
  return isOne ? { uid, gid } : undefined;
}
