import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { NOTES_METADATA, notesIn, setNotes } from "./notes.ts";

test("notes of any text survive the metadata", () => {
  const note = fc.string({ unit: "grapheme", minLength: 1 });
  fc.assert(
    fc.property(fc.array(note, { maxLength: 5 }), (notes) => {
      const responseHeader = new Headers();
      setNotes({ responseHeader }, notes);
      assert.deepEqual(notesIn(responseHeader), notes);
    }),
  );
});

test("without notes there is no metadata, and malformed ones are left out", () => {
  const responseHeader = new Headers();
  setNotes({ responseHeader }, []);
  assert.equal(responseHeader.get(NOTES_METADATA), null);
  assert.deepEqual(notesIn(responseHeader), []);
  responseHeader.set(NOTES_METADATA, "a%20b, ,%zz,%ff,c");
  assert.deepEqual(notesIn(responseHeader), ["a b", "c"]);
});
