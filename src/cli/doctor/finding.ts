/** The result of a check. `note`: could be better, but nothing is wrong. */
export interface Finding {
  readonly name: string;
  readonly state: "good" | "note" | "bad";
  readonly found: string;
  /** What the user can do about it. */
  readonly advice?: string;
}

export function goodFinding(name: string, found: string): Finding {
  return { name, state: "good", found };
}

export function noteFinding(name: string, found: string, advice: string): Finding {
  return { name, state: "note", found, advice };
}

export function badFinding(name: string, found: string, advice: string): Finding {
  return { name, state: "bad", found, advice };
}
