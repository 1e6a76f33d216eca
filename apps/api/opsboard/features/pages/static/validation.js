// Messages for invalid values.

import { filterLabel, oneOf } from "./filter-words.js";

// Message of the API -> sentence; `label` is what the field is called.
/** @type {[RegExp, (found: { name: string, label: string, match: RegExpMatchArray }) => string][]} */
const SENTENCES = [
  [/Extra inputs|not an argument/, ({ name }) => `There is no filter called “${name}”.`],
  [/more than once/, ({ label }) => `${label} is given more than once.`],
  [/^Input should be '(.+)'$/s, ({ label, match }) => `${label} can only be ${allowed(match[1])}.`],
  [/greater than or equal to (\S+)/, ({ label, match }) => `${label} must be ${match[1]} or more.`],
  [/less than or equal to (\S+)/, ({ label, match }) => `${label} must be ${match[1]} or less.`],
  [/at most (\d+) /, ({ label, match }) => `${label} can have at most ${match[1]} characters.`],
  [/at least \d+ /, ({ label }) => `${label} must not be empty.`],
  [/must not be after (\w+)/, ({ label, match }) => `“${label}” must not be later than “${filterLabel(match[1])}”.`],
  [/valid date|be a date/, ({ label }) => `“${label}” must be a date, written like 2026-03-31.`],
  [/boolean/, ({ label }) => `${label} must be true or false.`],
  [/integer|be a number/, ({ label }) => `${label} must be a whole number.`],
  [/must be one of .+ in front/, () => "The list cannot be sorted like this."],
  [/not a cursor/, () => "This page of the list is no longer there."],
];

export function complaintOf({ field, message }, label = filterLabel(nameOf(field))) {
  const name = nameOf(field);
  for (const [pattern, say] of SENTENCES) {
    const match = message.match(pattern);
    if (match) return say({ name, label, match });
  }
  return `${label}: ${message.replace("Value error, ", "")}.`;
}

function nameOf(field) {
  return field.replace(/\.\d+$/, "");
}

// "draft', 'active' or 'on_hold" as pydantic joins them.
function allowed(text) {
  return oneOf(text.split(/', '|' or '/)).toLowerCase();
}
