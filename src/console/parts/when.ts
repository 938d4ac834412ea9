const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const date = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** A time of today without its date, any other with it. */
export function whenText(milliseconds: number): string {
  const when = new Date(milliseconds);
  return when.toDateString() === new Date().toDateString() ? time.format(when) : date.format(when);
}
