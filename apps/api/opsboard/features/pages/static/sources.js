// What a picker looks up in a list of the API.

import { get } from "./api.js";
import { words } from "./chips.js";

const MOST = 8; // options of a picker

/** Looks up the beginning of a name in a list of the API. */
function source(list, fields, optionOf) {
  return async (text) => {
    const query = new URLSearchParams({ page_size: String(MOST), cursor: "", fields, ...(text ? { q: text } : {}) });
    const { items } = await get(`/api/${list}${list.includes("?") ? "&" : "?"}${query}`);
    return items.map(optionOf);
  };
}

export const customers = source("customers", "id,name,email", ({ id, name, email }) => ({ id, name, more: email ?? "" }));
export const people = source("users?is_active=true", "id,full_name,role", ({ id, full_name: name, role }) => ({ id, name, more: words(role) }));
export const machines = source("machines", "id,name,status,load", ({ id, name, status, load }) =>
  ({ id, name, more: `${status === "active" ? "" : `${words(status)} · `}${load.in_progress} on · ${load.pending} waiting` }));
