/** No database of advisories could be asked, which is not the same as no advisories. The message says why. */
export class NothingLookedAt extends Error {}
