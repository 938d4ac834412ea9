import { useState } from "preact/hooks";
import { setUpUser, userOf } from "../../api/actions.ts";
import { sentence } from "../../api/host.ts";
import { useSay } from "../../api/use-live.ts";
import { ActionButton, actionNamed } from "../../parts/button.tsx";
import { TextField } from "../../parts/field.tsx";
import type { CardProps } from "./card-props.ts";

/** The account that a person works with. */
export function UserCard({ target, actions }: CardProps) {
  const [user, setUser] = useState("");
  const say = useSay();
  const { name } = target;
  const find = async (): Promise<void> => {
    const found = await userOf(target);
    if (found)
      say({
        kind: "done",
        text: `The primary user of ${name} is ${found.username}, at home in ${found.homedir}.`,
      });
    else say({ kind: "done", text: `${name} has no primary user yet. Give a name to create one.` });
  };
  const create = async (): Promise<void> => {
    const { username, notes } = await setUpUser(target, user);
    const text =
      username === user
        ? `The primary user of ${name} is ${username}.`
        : `The primary user of ${name} is already ${username}; ${user} was not created.`;
    const remarks = notes.map((note) => sentence(note));
    say({ kind: username === user ? "done" : "error", text: [text, ...remarks].join(" ") });
  };
  const action = actionNamed(actions, "user");
  return (
    <section class="card">
      <h2>User</h2>
      <p>The account that you work with in {name}.</p>
      <TextField
        label="User name"
        hint="Small letters and digits, such as ada."
        value={user}
        onInput={setUser}
      />
      <div class="buttons">
        <ActionButton action={action} run={() => (user === "" ? find() : create())}>
          {user === "" ? "Who is it?" : "Set up"}
        </ActionButton>
      </div>
    </section>
  );
}
