/** A place that an import fills, and what it puts there. */
export interface StorageTarget {
  /** For people: "the storage pool default". */
  readonly name: string;
  /** Bytes. */
  readonly available: number;
  readonly holds: readonly ("image" | "container")[];
}

/** Bytes that an import needs for the image file, as long as it lasts, and for the container. */
export interface SpaceRequirement {
  readonly image: number;
  readonly container: number;
}

/** A room that is too small. The cause of an error that says so. */
export class InsufficientSpace {
  readonly room: StorageTarget;
  /** Bytes. */
  readonly required: number;

  constructor(room: StorageTarget, required: number) {
    this.room = room;
    this.required = required;
  }
}

/** The room that is too small; where several are, the one that lacks most. */
export function shortage(
  rooms: readonly StorageTarget[],
  need: SpaceRequirement,
): InsufficientSpace | undefined {
  const lacking = rooms
    .map(
      (room) =>
        new InsufficientSpace(
          room,
          room.holds.reduce((sum, what) => sum + need[what], 0),
        ),
    )
    .filter(({ room, required }) => required > room.available);
  const lack = ({ room, required }: InsufficientSpace): number => required - room.available;
  return lacking.sort((one, other) => lack(other) - lack(one))[0];
}
