/** The options of every method of the engine client. */
export interface CallOptions {
  /** Rejects the call at once, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface ProjectOptions extends CallOptions {
  /** Default: the engine's default project. */
  readonly project?: string | undefined;
}

/** The query parameters that select a project. */
export function projectQuery({ project }: ProjectOptions): Readonly<Record<string, string>> {
  return project === undefined ? {} : { project };
}
