import type { EngineHttp } from "../http/engine-http.ts";
import { Collection } from "./collection.ts";
import type { Config } from "./pools.ts";

export interface AclUpdate {
  readonly config: Config;
  readonly description: string;
  readonly ingress: readonly unknown[];
  readonly egress: readonly unknown[];
}

/** Rules for the traffic of network cards. */
export interface Acl extends AclUpdate {
  readonly name: string;
}

export class Acls extends Collection<Acl, Acl, AclUpdate> {
  constructor(http: EngineHttp) {
    super(http, "network-acls", ["config", "description", "ingress", "egress"]);
  }
}

export interface ZoneUpdate {
  readonly config: Config;
  readonly description: string;
}

/** A DNS zone that the engine serves. */
export interface Zone extends ZoneUpdate {
  readonly name: string;
}

export interface ZoneRecordUpdate extends ZoneUpdate {
  readonly entries: readonly unknown[] | null;
}

export interface ZoneRecord extends ZoneRecordUpdate {
  readonly name: string;
}

export class Zones extends Collection<Zone, Zone, ZoneUpdate> {
  constructor(http: EngineHttp) {
    super(http, "network-zones", ["config", "description"]);
  }

  records(zone: string): Collection<ZoneRecord, ZoneRecord, ZoneRecordUpdate> {
    return new Collection(
      this.http,
      ["network-zones", zone, "records"],
      ["config", "description", "entries"],
    );
  }
}
