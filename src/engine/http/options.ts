/** What every method of the engine client takes. */
export interface Options {
  /** Rejects the call at once, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface ProjectOptions extends Options {
  /** The project that is meant; the engine's default one without. */
  readonly project?: string | undefined;
}

/** The query that names a project. */
export function projectQuery({ project }: ProjectOptions): Readonly<Record<string, string>> {
  return project === undefined ? {} : { project };
}
