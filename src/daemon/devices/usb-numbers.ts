import * as z from "zod";

/** Where a port is on the machine: its controller's place (root-ports.ts), and its number on a root hub of it. */
const placeSchema = z.object({
  controller: z.string(),
  usbVersion: z.literal([2, 3]),
  port: z.int().positive(),
});

/** The number that people and hosts name a port by, and where that port is. */
export const numberedPlaceSchema = placeSchema.extend({ number: z.int().positive() });

export type UsbPlace = Readonly<z.infer<typeof placeSchema>>;
export type Numbered<Place extends UsbPlace> = Place & { readonly number: number };
export type Numbers = readonly Numbered<UsbPlace>[];

/**
 * The known numbers and those of places not known yet: these follow the highest that is known or taken. What is taken
 * does not count for the first controllers ever seen: assignments of versions that kept no places mean these.
 */
export function withNumbers(known: Numbers, found: readonly UsbPlace[], taken: readonly number[]): Numbers {
  const fresh = found.filter((place) => !known.some((each) => isSame(each, place)));
  const last = known.length === 0 ? 0 : Math.max(...known.map(({ number }) => number), ...taken);
  return [
    ...known,
    ...fresh.map(({ controller, usbVersion, port }, at) => {
      return { number: last + 1 + at, controller, usbVersion, port };
    }),
  ];
}

/** Places with their numbers, in the order of these; without the places that have none. */
export function numbered<Place extends UsbPlace>(
  numbers: Numbers,
  places: readonly Place[],
): readonly Numbered<Place>[] {
  return places
    .flatMap((place) => {
      const known = numbers.find((each) => isSame(each, place));
      return known ? [{ ...place, number: known.number }] : [];
    })
    .sort((one, other) => one.number - other.number);
}

/**
 * The numbers after a start of the machine. A virtual machine may have its only controller in another slot then: its
 * ports keep their numbers, which hosts count from 1. Only if it is as large as the one before.
 */
export function afterBoot(known: Numbers, found: readonly UsbPlace[]): Numbers {
  const [controller, ...others] = new Set(found.map((place) => place.controller));
  const isOne = new Set(known.map((place) => place.controller)).size === 1 && others.length === 0;
  if (controller === undefined || !isOne) return known;
  const moved = known.map((place) => ({ ...place, controller }));
  return withNumbers(moved, found, []).length === found.length ? moved : known;
}

function isSame(one: UsbPlace, other: UsbPlace): boolean {
  return (
    one.controller === other.controller && one.usbVersion === other.usbVersion && one.port === other.port
  );
}
