import type { EngineHttp } from "../http/engine-http.ts";
import { Collection } from "./collection.ts";

export interface CertificateUpdate {
  readonly name: string;
  readonly type: string;
  /** Whether it has access to the given projects only. */
  readonly restricted: boolean;
  readonly projects: readonly string[] | null;
}

/** A client that the engine trusts. */
export interface Certificate extends CertificateUpdate {
  /** PEM; to create one, base64 without the lines around it. */
  readonly certificate: string;
}

export class Certificates extends Collection<Certificate, Certificate, CertificateUpdate> {
  constructor(http: EngineHttp) {
    super(http, "certificates", ["name", "type", "restricted", "projects"]);
  }
}
