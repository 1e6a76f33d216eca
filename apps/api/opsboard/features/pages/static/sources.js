// The lists of the API that pickers search.

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

export const customers = source("customers", "id,name,email", ({ id, name, email }) => ({
  id,
  name,
  more: email ?? "",
}));
const loadOf = ({ in_progress: on, pending }) => `${on} on · ${pending} waiting`;
export const people = source(
  "users?is_active=true",
  "id,full_name,role,load",
  ({ id, full_name: name, role, load }) => ({ id, name, more: `${words(role)} · ${loadOf(load)}` }),
);
export const machines = source("machines", "id,name,status,load", ({ id, name, status, load }) => ({
  id,
  name,
  more: `${status === "active" ? "" : `${words(status)} · `}${loadOf(load)}`,
}));
export const processes = source("processes?is_active=true", "id,name,description", ({ id, name, description }) => ({
  id,
  name,
  more: description ?? "",
}));
export const routings = source("routings", "id,name,steps", ({ id, name, steps }) => ({
  id,
  name,
  more: steps.map((step) => step.process.name).join(", "),
}));
export const jobs = source("jobs", "id,job_number,title", ({ id, job_number: name, title }) => ({
  id,
  name,
  more: title,
}));
