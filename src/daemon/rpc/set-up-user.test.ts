import assert from "node:assert/strict";
import { test } from "node:test";
import { withoutNames } from "./set-up-user.ts";

test("who a person is stays out of reasons", () => {
  assert.equal(
    withoutNames('"ada" has /home/ada/x and .ada.tremplin, not adam or my-ada', ["ada", ""]),
    '"$USERNAME" has /home/$USERNAME/x and .$USERNAME.tremplin, not adam or my-ada',
  );
  assert.equal(withoutNames("a.b (x|y)* ada", ["(x|y)*", "ada"]), "a.b $USERNAME $USERNAME");
});
