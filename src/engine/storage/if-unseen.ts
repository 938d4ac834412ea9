/** What a system says of a file that is not there, or that this process may not look at. */
const UNSEEN = new Set(["ENOENT", "ENOTDIR", "EACCES", "EPERM"]);

/**
 * For catch, on files of an engine that may hide them: what is not there or closed to us becomes undefined. What could
 * not be read for another reason (a broken disk, too many open files) stays an error: nothing is known of it.
 */
export function ifUnseen(error: NodeJS.ErrnoException): undefined {
  if (!UNSEEN.has(error.code ?? "")) throw error;
}
