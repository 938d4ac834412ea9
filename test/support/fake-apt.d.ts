import type { AptSystem } from "../../src/daemon/mirrors/apt-system.ts";
/** What a server says about a place: a Release file, nothing ("404"), or not even that (another reason of apt). */
export type FakeAnswer = Readonly<Record<string, string>> | string;
export interface FakeApt extends AptSystem {
    /** All URIs that were asked for. */
    readonly asked: string[];
}
/** Debian's Release file of a suite. */
export declare function debianRelease(codename: string, label?: string): FakeAnswer;
/** The Release file of another vendor, which uses Debian's names. */
export declare function vendorRelease(origin: string, codename: string): FakeAnswer;
/**
 * An apt that knows the answers of some places (`http://host/debian/dists/trixie`), reached by `InRelease`; others have
 * no such name. `files` are texts by path or URI, `read` is what it has read before.
 */
export declare function fakeApt(answers: Readonly<Record<string, FakeAnswer>>, { files, read }?: {
    files?: Readonly<Record<string, string>>;
    read?: string;
}): FakeApt;
