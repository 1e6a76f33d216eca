// Removes a person's name and contact data for good. It is asked twice: once what happens, once by the name.

import { ask } from "./ask.js";
import { h } from "./dom.js";
import { administers } from "./rights.js";

/** The button for those who may; `name` is that of the record at `path`. */
export function anonymiseButton(path, name, { me, act }) {
  return (
    administers(me) &&
    h(
      "button",
      {
        type: "button",
        class: "move-button",
        "data-key": "anonymise",
        onclick: ({ currentTarget }) => begin(currentTarget),
      },
      "Anonymise …",
    )
  );

  async function begin(pressed) {
    const first = await ask({
      title: `Anonymise ${name}?`,
      verb: "Go on",
      text: "The name, e-mail address, phone number, address and notes are removed from this record and from every text, message and entry of the audit log in which they stand. What was done and counted stays. Nobody can bring them back.",
    });
    if (first === null) return;
    const second = await ask({
      title: "This cannot be undone",
      verb: "Anonymise for good",
      fields: [
        {
          name: "confirm",
          label: `Type the name to confirm: ${name}`,
          isText: true,
          check: (text) => (text === name ? "" : "This is not the name."),
        },
      ],
    });
    if (second === null) return;
    await act(pressed, {
      method: "POST",
      path: `${path}/anonymise`,
      content: { confirm: "anonymise", name },
      done: "The record was anonymised.",
    });
  }
}
