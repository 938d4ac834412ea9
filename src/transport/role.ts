/** What a certificate allows, and for whom: the host itself, one guest, or one client (a person or a program). */
export type Role =
  | { readonly kind: "host" }
  | { readonly kind: "guest"; readonly name: string }
  | { readonly kind: "client"; readonly name: string };

/** In a subject alternative name of the type URI: `tremplin:host`, `tremplin:guest/NAME` or `tremplin:client/NAME`. */
export function roleUri(role: Role): string {
  return role.kind === "host" ? "tremplin:host" : `tremplin:${role.kind}/${role.name}`;
}

/** For messages: `the host`, `guest vm`, `client anna`. */
export function roleText(role: Role): string {
  return role.kind === "host" ? "the host" : `${role.kind} ${role.name}`;
}

/** What a name of a guest or a client may be. */
export const rolePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

const NAME_TYPE = /(?:^|, )([A-Za-z0-9 .]+):/y;
/** Node quotes a value as JSON where it has a comma or anything else that could look like a second name. */
const NAME_VALUE = /"(?:[^"\\]|\\.)*"|[^,"]*/y;

/**
 * The role in the subject alternative names of a certificate, as Node prints them. Undefined without one. Names that
 * cannot be parsed, several roles and unknown ones count as none.
 */
export function roleIn(alternativeNames: string | undefined): Role | undefined {
  const uris = urisIn(alternativeNames ?? "");
  const ours = uris?.filter((uri) => /^tremplin:/i.test(uri));
  return ours?.length === 1 ? roleFromUri(ours[0] as string) : undefined;
}

/** The role that a URI names; undefined where it names none. */
export function roleFromUri(uri: string): Role | undefined {
  if (uri === "tremplin:host") return { kind: "host" };
  const [, kind, name = ""] = /^tremplin:(guest|client)\/(.*)$/s.exec(uri) ?? [];
  if (!kind || !rolePattern.test(name)) return undefined;
  return { kind: kind as "guest" | "client", name };
}

/** Undefined where a part is in no known form. */
function urisIn(text: string): string[] | undefined {
  const uris: string[] = [];
  for (let position = 0; position < text.length; ) {
    NAME_TYPE.lastIndex = position;
    const type = NAME_TYPE.exec(text);
    if (!type) return undefined;
    NAME_VALUE.lastIndex = NAME_TYPE.lastIndex;
    const value = NAME_VALUE.exec(text)?.[0] ?? "";
    position = NAME_VALUE.lastIndex;
    if (type[1] === "URI") uris.push(value);
  }
  return uris;
}
