// Archiving a record and restoring it, each taken back by Undo.

import { h } from "./dom.js";
import { flag } from "./list-parts.js";
import { administers, manages } from "./rights.js";

const FINISHED = ["completed", "cancelled"];

/** The filter of a list whose records can be archived. */
export const archivedFilter = flag("archived", "Archived");

const mayArchive = (area, me) => (area === "users" ? administers(me) : manages(me));

// A record in use is finished or deactivated first, by the buttons beside this one.
function isInUse(area, found) {
  return (area === "jobs" && !FINISHED.includes(found.status)) || (area === "users" && found.is_active);
}

function write(area, { id }, name, verb) {
  const path = `/api/${area}/${id}/${verb}`;
  const done = verb === "archive" ? `Archived ${name}.` : `Restored ${name}.`;
  const undo = () => ({
    method: "POST",
    path: `/api/${area}/${id}/${verb === "archive" ? "restore" : "archive"}`,
    done: `Undone: ${name}.`,
  });
  return { method: "POST", path, done, undo };
}

function button(area, found, name, verb, { act }, row) {
  const label = verb === "archive" ? "Archive" : "Restore";
  return h(
    "button",
    {
      type: "button",
      class: "move-button",
      "data-key": `archive-${area}-${found.id}`,
      "aria-label": `${label} ${name}`,
      onclick: ({ currentTarget }) => act(currentTarget, write(area, found, name, verb), row),
    },
    label,
  );
}

/** The button on a record's page: Archive, or Restore. */
export function archiveButton(area, found, name, context) {
  if (!mayArchive(area, context.me) || (!found.archived_at && isInUse(area, found))) return null;
  return button(area, found, name, found.archived_at ? "restore" : "archive", context, h("div", {}));
}

/** A column of a list of archived records; where nothing is archived it has no buttons and is left out. */
export function restoreColumn(area, nameOf) {
  return [
    "Restore",
    (found, context) =>
      found.archived_at &&
      mayArchive(area, context.me) &&
      button(area, found, nameOf(found), "restore", context, h("div", {})),
    "control",
  ];
}
