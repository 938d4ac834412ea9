/**
 * A folder that took long to build, from an earlier run where there is one. Another recipe (files of the
 * checkout) or another runtime makes another one, and the older go. `build` makes the folder complete or not at all.
 */
export declare function cachedBuild(name: string, recipe: readonly string[], build: (folder: string) => Promise<void>): Promise<string>;
