import type { EngineHttp } from "../http/engine-http.ts";
import { Collection } from "./collection.ts";
import type { Config } from "./pools.ts";

export const DEFAULT_PROJECT = "default";

export interface ProjectUpdate {
  readonly config: Config;
  readonly description: string;
}

export interface Project extends ProjectUpdate {
  readonly name: string;
}

export class Projects extends Collection<Project, Project, ProjectUpdate> {
  constructor(http: EngineHttp) {
    super(http, "projects", ["config", "description"]);
  }
}

/** Whether a project has its own objects of that kind; else it uses those of the default project. */
export function hasOwn(
  project: Project,
  kind: "images" | "networks" | "profiles" | "storage.volumes",
): boolean {
  return project.name === DEFAULT_PROJECT || project.config[`features.${kind}`] === "true";
}
