import assert from "node:assert/strict";
import { test } from "node:test";
import { maskUserNames } from "./set-up-user.ts";

test("user names are masked in failure reasons", () => {
  assert.equal(
    maskUserNames('"ada" has /home/ada/x and .ada.tremplin, not adam or my-ada', ["ada", ""]),
    '"$USERNAME" has /home/$USERNAME/x and .$USERNAME.tremplin, not adam or my-ada',
  );
  assert.equal(maskUserNames("a.b (x|y)* ada", ["(x|y)*", "ada"]), "a.b $USERNAME $USERNAME");
});
