// Links for screens that nobody signs in to: a token with the scope wall, for chosen areas.

import { smallForm } from "./account.js";
import { change } from "./api.js";
import { h, replace } from "./dom.js";
import { announce } from "./notices.js";
import { secret } from "./secrets.js";

const AREAS = { jobs: "Jobs", late: "Overdue jobs", machines: "Machines", sell: "Leads and approvals" };

/** What a token may do: its scopes, with the areas of a screen. */
export function scopeWords({ scopes, areas }) {
  return scopes
    .map((scope) => (scope === "wall" ? `wall: ${areas.map((area) => AREAS[area].toLowerCase()).join(", ")}` : scope))
    .join("; ");
}

export function wallForm({ refresh }, shownOnce) {
  const boxes = Object.entries(AREAS).map(([name, words]) => [
    h("input", { type: "checkbox", name, checked: true }),
    words,
  ]);
  const areas = h(
    "fieldset",
    { class: "scopes" },
    h("legend", {}, "The screen shows"),
    boxes.map(([box, words]) => h("label", { class: "flag" }, box, words)),
  );
  const fields = [
    { name: "screen", label: "Screen", required: true, hint: "For example Hall 2." },
    {
      name: "days",
      label: "Days until the link ends",
      kind: "number",
      required: true,
      initial: "365",
      hint: "1 to 365.",
    },
  ];
  return smallForm(
    "New link for a screen",
    fields,
    "Make link",
    async ({ screen, days }) => {
      const chosen = boxes.filter(([box]) => box.checked).map(([box]) => box.name);
      const { data } = await change("POST", "/api/tokens", {
        name: screen.trim(),
        scopes: ["wall"],
        areas: chosen,
        expires_in_days: Number(days),
      });
      replace(
        shownOnce,
        secret(
          `Open this address on the screen ${data.name}. It needs no sign-in and shows nothing else. It is shown only now.`,
          "Address",
          data.url,
        ),
      );
      shownOnce.scrollIntoView({ block: "nearest" });
      announce("The link was made.");
      refresh();
      return `Made the link of ${data.name}.`;
    },
    areas,
  );
}
