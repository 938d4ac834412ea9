/** A place that an import fills, and what it puts there. */
export interface Room {
  /** For people: "the storage pool default". */
  readonly name: string;
  /** Bytes. */
  readonly available: number;
  readonly holds: readonly ("image" | "container")[];
}

/** Bytes that an import needs for the image file, as long as it lasts, and for the container. */
export interface Need {
  readonly image: number;
  readonly container: number;
}

/** A room that is too small. The cause of an error that says so. */
export class Shortage {
  readonly room: Room;
  /** Bytes. */
  readonly required: number;

  constructor(room: Room, required: number) {
    this.room = room;
    this.required = required;
  }
}

/** The room that is too small; where several are, the one that lacks most. */
export function shortage(rooms: readonly Room[], need: Need): Shortage | undefined {
  const lacking = rooms
    .map(
      (room) =>
        new Shortage(
          room,
          room.holds.reduce((sum, what) => sum + need[what], 0),
        ),
    )
    .filter(({ room, required }) => required > room.available);
  const lack = ({ room, required }: Shortage): number => required - room.available;
  return lacking.sort((one, other) => lack(other) - lack(one))[0];
}
