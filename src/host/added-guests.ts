import { join } from "node:path";
import * as z from "zod";
import { KeyedMutex } from "../base/async/keyed-mutex.ts";
import { JsonFile } from "../base/files/json-file.ts";
import type { Logger } from "../base/logger.ts";
import { errorMessage, TremplinError } from "../base/tremplin-error.ts";
import { formatAddress, parseAddress } from "../transport/address.ts";
import type { Guest, GuestSpec } from "./guest.ts";
import type { Guests } from "./guests.ts";
import { checkNewGuest } from "./new-guest.ts";
import type { ListenerAddress } from "./options.ts";

const schema = z.object({
  guests: z.array(
    z.object({
      name: z.string(),
      address: z.string(),
      token: z.string().optional(),
      listener: z.string().optional(),
    }),
  ),
});
type Stored = z.infer<typeof schema>["guests"][number];

export interface AddedGuestsDeps {
  /** The state folder of the host. */
  readonly folder: string;
  readonly guests: Guests;
  /** The addresses for notices on the command line. */
  readonly listeners: readonly ListenerAddress[];
  readonly hasTls: boolean;
  /** Opens an address for the notices of one guest, with the token that it presents there. */
  readonly openListener: (listener: ListenerAddress, token: string | undefined) => Promise<AsyncDisposable>;
  readonly log: Logger;
}

/** The guests that were added while the host ran. They are kept in a file, and are there again after its next start. */
export class AddedGuests implements AsyncDisposable {
  readonly #deps: AddedGuestsDeps;
  readonly #file: JsonFile<typeof schema>;
  readonly #listeners = new Map<string, AsyncDisposable>();
  readonly #mutex = new KeyedMutex();
  /** Of the file that cannot be used now, because the command line has the name or its flags are others. */
  #unused: Stored[] = [];

  private constructor(deps: AddedGuestsDeps) {
    this.#deps = deps;
    this.#file = new JsonFile({
      path: join(deps.folder, "guests.json"),
      schema,
      without: "the guests that tremplin guest add had added are gone; add them again",
    });
  }

  /** Adds the guests of the file. One that cannot be added is logged and stays in the file: the host starts without it. */
  static async open(deps: AddedGuestsDeps): Promise<AddedGuests> {
    const added = new AddedGuests(deps);
    const { guests = [] } = (await added.#file.readOrSetAside(deps.log)) ?? {};
    for (const stored of guests) {
      try {
        await added.#restore(stored);
      } catch (error) {
        added.#unused.push(stored);
        const reason = errorMessage(error);
        deps.log.error({ guest: stored.name, reason }, "a guest that was added cannot be used");
      }
    }
    return added;
  }

  /** Adds a guest. When this has resolved, the next start knows it too. */
  async add(spec: GuestSpec): Promise<Guest> {
    return await this.#mutex.run("", async () => {
      const { guests, listeners, hasTls } = this.#deps;
      checkNewGuest(spec, { guests: guests.all, listeners, hasTls });
      await using undo = new AsyncDisposableStack();
      const own = spec.listener && undo.use(await this.#open(spec));
      const guest = guests.add(spec);
      undo.defer(() => guests.remove(guest));
      await this.#save();
      undo.move();
      if (own) this.#listeners.set(spec.name, own);
      return guest;
    });
  }

  /** Removes a guest. Throws `invalid` for one of the command line, `not-found` for an unknown one. */
  async remove(name: string): Promise<void> {
    await this.#mutex.run("", async () => {
      const { guests } = this.#deps;
      const guest = guests.find(name);
      const unused = this.#unused.some((each) => each.name === name);
      if (!guest && !unused)
        throw new TremplinError("not-found", `there is no guest ${name}; ${guests.namesSentence}`);
      if (guest?.isFixed && !unused) {
        throw new TremplinError(
          "unavailable",
          `guest ${name} comes from the command line of the host: remove its --guest there, and start the host again`,
        );
      }
      this.#unused = this.#unused.filter((each) => each.name !== name);
      await this.#save(name);
      if (!guest || guest.isFixed) return;
      guests.remove(guest);
      await this.#listeners.get(name)?.[Symbol.asyncDispose]();
      this.#listeners.delete(name);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#listeners.values()].map((listener) => listener[Symbol.asyncDispose]()));
    this.#listeners.clear();
  }

  async #restore({ name, address, token, listener }: Stored): Promise<void> {
    const { guests, listeners, hasTls, log } = this.#deps;
    const own = listener === undefined ? undefined : parseAddress(listener);
    const spec: GuestSpec = { name, address: parseAddress(address), token, listener: own, isFixed: false };
    checkNewGuest(spec, { guests: guests.all, listeners, hasTls });
    const guest = guests.add(spec);
    try {
      if (spec.listener) this.#listeners.set(spec.name, await this.#open(spec));
    } catch (error) {
      guest.listenerProblem = errorMessage(error);
      log.error({ guest: spec.name, reason: guest.listenerProblem }, "notices of a guest cannot be taken");
    }
  }

  #open({ name, listener, token }: GuestSpec): Promise<AsyncDisposable> {
    const address = listener as NonNullable<typeof listener>;
    return this.#deps.openListener({ guest: name, address }, token);
  }

  async #save(except?: string): Promise<void> {
    const added = this.#deps.guests.all.filter(({ isFixed, name }) => !isFixed && name !== except);
    const inUse = added.map(({ name, address, token, listener }) => ({
      ...{ name, address, token },
      listener: listener && formatAddress(listener),
    }));
    await this.#file.write({ guests: [...inUse, ...this.#unused] });
  }
}
