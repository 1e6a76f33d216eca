// The first day of a business: what to set up, instead of a board of zeros.

import { h, replace } from "./dom.js";
import { count } from "./format.js";
import { administers, manages } from "./rights.js";

/** True while a business has neither jobs nor anything of sales that the board could show. */
export function isEmpty(stats) {
  return ["jobs", "leads", "campaigns"].every((group) => !stats[group]?.total) && !stats.journeys?.active;
}

/** The checklist; `show(stats, processes, shifts)` renews it, where the last two are numbers. */
export function firstDay({ me }) {
  const list = h("ol", { class: "checklist" });
  const element = h(
    "section",
    { class: "card first-day", "aria-labelledby": "first-day-title" },
    h("h1", { id: "first-day-title" }, `Set up ${me.tenant.name}`),
    h(
      "p",
      { class: "quiet" },
      manages(me)
        ? "Nothing is recorded yet. These steps bring the board to life, in any order:"
        : "Nothing is recorded yet. As soon as a manager adds the first job, it is shown here.",
    ),
    manages(me) && list,
    administers(me) &&
      h(
        "p",
        {},
        "All of it is in files already? ",
        h("a", { href: "#/import" }, "Import CSV files or an Excel workbook"),
        ".",
      ),
  );
  let shown = "";

  function show(stats, processes, shifts) {
    const steps = [
      {
        title: "Machines",
        text: "the machines that work is done on",
        done: stats.machines.total,
        one: "machine",
        href: "#/machines/new",
      },
      {
        title: "Processes",
        text: "kinds of work, such as turning or welding",
        done: processes,
        one: "process",
        many: "processes",
        href: "#/processes/new",
      },
      {
        title: "Working hours",
        text: "without them work is planned for all day, every day",
        done: shifts,
        one: "shift",
        href: "#/working-hours/new",
      },
      // The one who reads this is there already.
      administers(me) && {
        title: "People",
        text: "everybody who works with the board gets a link to sign in",
        done: Math.max(0, stats.users.total - 1),
        one: "other person",
        many: "other people",
        href: "#/users/new",
      },
      {
        title: "First job",
        text: "what is to be made, for whom and until when",
        done: stats.jobs.total,
        one: "job",
        href: "#/jobs/new",
      },
    ].filter(Boolean);
    const state = JSON.stringify(steps);
    if (state === shown) return;
    shown = state;
    replace(list, steps.map(item));
  }

  return { element, show };
}

function item({ title, text, done, one, many, href }) {
  const name = href ? h("a", { href, "data-key": `set-up-${title}` }, title) : h("strong", {}, title);
  const state = done ? `${count(done, one, many)}` : "Nothing yet";
  return h(
    "li",
    { class: done ? "is-done" : "" },
    h("span", { class: "check", "aria-hidden": "true" }, done ? "✓" : ""),
    h("span", { class: "line-main" }, name, h("span", { class: "quiet" }, text)),
    h("span", { class: "quiet" }, done ? h("span", { class: "visually-hidden" }, "Done: ") : null, state),
  );
}
