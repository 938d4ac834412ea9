import type { EngineHttp } from "../http/engine-http.ts";
import { Collection } from "./collection.ts";
import type { Config } from "./pools.ts";

export type Devices = Readonly<Record<string, Config>>;

export interface ProfileUpdate {
  readonly config: Config;
  readonly description: string;
  readonly devices: Devices;
}

export interface Profile extends ProfileUpdate {
  readonly name: string;
  readonly used_by: readonly string[] | null;
}

export type ProfileCreate = Partial<ProfileUpdate> & { readonly name: string };

export class Profiles extends Collection<Profile, ProfileCreate, ProfileUpdate> {
  constructor(http: EngineHttp) {
    super(http, "profiles", ["config", "description", "devices"]);
  }
}
