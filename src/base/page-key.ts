/**
 * The secret that the pages of the console send with each call beside their cookie, by this name in the header and in
 * the storage of the browser. Browsers send a cookie to every port of a name, and keep what a page stores for one port.
 */
export const PAGE_KEY = "tremplin-page-key";
