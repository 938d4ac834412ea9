interface Share<T> {
  /** The one that has been idle for the longest time comes first. */
  readonly idle: Set<T>;
  /** The one that has been busy for the longest time comes first. */
  readonly busy: Set<T>;
}

/** What each owner holds of something that is scarce. Where there is too much, the owner that holds the most gives way. */
export class Shares<T> {
  readonly #shares = new Map<string, Share<T>>();
  #size = 0;

  /** How much all owners hold. */
  get size(): number {
    return this.#size;
  }

  /** Idle at first. */
  add(owner: string, member: T): void {
    const share = this.#shares.get(owner) ?? { idle: new Set<T>(), busy: new Set<T>() };
    this.#shares.set(owner, share);
    share.idle.add(member);
    this.#size++;
  }

  /** Does nothing for one that its owner does not hold any more. */
  delete(owner: string, member: T): void {
    const share = this.#shares.get(owner);
    if (!share || !(share.idle.delete(member) || share.busy.delete(member))) return;
    this.#size--;
    if (sizeOf(share) === 0) this.#shares.delete(owner);
  }

  setBusy(owner: string, member: T, isBusy: boolean): void {
    const share = this.#shares.get(owner);
    if (!share) return;
    const [from, to] = isBusy ? [share.idle, share.busy] : [share.busy, share.idle];
    if (from.delete(member)) to.add(member);
  }

  /**
   * Which one gives way to the newest: of the owner that holds the most, the one that is idle longest, else the one that
   * is busy longest. The newest itself where each owner has but one, and all are busy.
   */
  toGiveWay(owner: string, newest: T): T {
    let heaviest = this.#shares.get(owner);
    for (const share of this.#shares.values()) {
      if (!heaviest || compare(share, heaviest, newest) > 0) heaviest = share;
    }
    if (!heaviest) return newest;
    const [busy = newest] = sizeOf(heaviest) > 1 ? heaviest.busy : [];
    return idleOf(heaviest, newest) ?? busy;
  }
}

function compare<T>(a: Share<T>, b: Share<T>, newest: T): number {
  const idle = (share: Share<T>): number => (idleOf(share, newest) === undefined ? 0 : 1);
  return sizeOf(a) - sizeOf(b) || idle(a) - idle(b);
}

function idleOf<T>({ idle }: Share<T>, newest: T): T | undefined {
  for (const member of idle) if (member !== newest) return member;
  return undefined;
}

function sizeOf<T>({ idle, busy }: Share<T>): number {
  return idle.size + busy.size;
}
