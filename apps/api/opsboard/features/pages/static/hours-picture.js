// Working hours as a picture: the shifts of a week as bars over its 24 hours, and the next weeks with their holidays.

import { h, replace } from "./dom.js";
import { day, shortDay, today } from "./format.js";
import { shiftWords, stretchesOf, weekdayOf } from "./shift-words.js";

const WEEKDAYS = [1, 2, 3, 4, 5, 6, 7];
const WEEKS = 5;
const DAY = 86_400_000;
const HOURS = ["0", "6", "12", "18", "24"];
const LONGEST = 366; // days of a holiday

/** The picture above a list of working hours or holidays; `query` is that of the list, `ofWeek` shows the week too. */
export function hoursPicture(query, ofWeek) {
  const element = h("div", { class: "hours-picture" });
  const machine = query.get("machine_id");
  const path = `/api/working-hours?${machine ? `machine_id=${machine}` : "of_business=true"}&page_size=100`;
  let shown = [];

  async function load(read) {
    const first = mondayOf(today());
    const span = `date_from=${iso(first - LONGEST * DAY)}&date_to=${iso(first + (7 * WEEKS - 1) * DAY)}`;
    const answers = await Promise.all([read(path), read(`/api/holidays?${span}&sort=-first_day&page_size=100`)]);
    if (answers.every((answer, index) => answer === shown[index])) return;
    shown = answers;
    const [{ items: shifts }, { items: holidays }] = answers;
    replace(element, ofWeek && weekOf(shifts, machine !== null), weeksOf(first, shifts, holidays, machine !== null));
  }

  return { element, load, changed: () => (shown = []) };
}

function weekOf(shifts, isOfMachine) {
  if (!shifts.length) {
    return h(
      "p",
      { class: "quiet" },
      isOfMachine
        ? "This machine has no hours of its own: those of the business hold for it."
        : "Without shifts, work is possible all day, every day but holidays.",
    );
  }
  const sentences = WEEKDAYS.map((weekday) => {
    const times = shifts
      .filter((shift) => shift.weekday === weekday)
      .map(({ starts_at: from, ends_at: until }) => `${from} to ${until}`);
    return `${weekdayOf(weekday)} ${times.join(", ") || "no shift"}`;
  });
  const stretches = shifts.flatMap((shift) => stretchesOf(shift).map((stretch) => ({ ...stretch, shift })));
  const rows = WEEKDAYS.map((weekday) => [
    h("span", { class: "week-day" }, weekdayOf(weekday).slice(0, 3)),
    h("span", { class: "week-track" }, stretches.filter((stretch) => stretch.weekday === weekday).map(bar)),
  ]);
  const words = isOfMachine ? "The week of this machine" : "The week of the business";
  return h(
    "figure",
    { class: "week" },
    h("figcaption", {}, words),
    h(
      "div",
      { class: "week-picture", role: "img", "aria-label": `${words}. ${sentences.join("; ")}.` },
      rows,
      h("span", {}),
      h(
        "span",
        { class: "week-hours" },
        HOURS.map((hour) => h("span", {}, hour)),
      ),
    ),
  );
}

// A shift past midnight is two bars, which are open where it goes on.
function bar({ from, until, isBegun, goesOn, shift }) {
  const element = h("span", {
    class: `week-shift${isBegun ? " is-begun" : ""}${goesOn ? " goes-on" : ""}`,
    title: shiftWords(shift),
  });
  element.style.setProperty("--from", String(from / 1440));
  element.style.setProperty("--share", String((until - from) / 1440));
  return element;
}

function weeksOf(first, shifts, holidays, isOfMachine) {
  const worked = new Set(shifts.flatMap(stretchesOf).map(({ weekday }) => weekday));
  // Without shifts any day may be worked on; those of a machine without its own are not known here.
  const isWorked = (weekday) => (shifts.length ? worked.has(weekday) : !isOfMachine);
  const cell = (date, weekday) => {
    const found = holidays.find(
      (holiday) => holiday.first_day <= date && date <= (holiday.last_day ?? holiday.first_day),
    );
    const kind = found ? "is-holiday" : isWorked(weekday) ? "is-worked" : null;
    return h(
      "td",
      { class: kind, title: found?.name, "aria-current": date === today() ? "date" : null },
      date.slice(8).replace(/^0/, ""),
      found && h("span", { class: "visually-hidden" }, `, holiday: ${found.name}`),
    );
  };
  const rows = Array.from({ length: WEEKS }, (_, week) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, shortDay(iso(first + 7 * week * DAY))),
      WEEKDAYS.map((weekday) => cell(iso(first + (7 * week + weekday - 1) * DAY), weekday)),
    ),
  );
  const coming = holidays.filter((holiday) => (holiday.last_day ?? holiday.first_day) >= today()).reverse();
  return h(
    "figure",
    { class: "weeks" },
    h("figcaption", {}, "The next weeks"),
    h(
      "table",
      { class: "weeks-table" },
      h("caption", { class: "visually-hidden" }, `This week and the next ${WEEKS - 1}, with holidays`),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "col" }, "From"),
          WEEKDAYS.map((weekday) =>
            h("th", { scope: "col" }, h("abbr", { title: weekdayOf(weekday) }, weekdayOf(weekday).slice(0, 2))),
          ),
        ),
      ),
      h("tbody", {}, rows),
    ),
    h(
      "p",
      { class: "weeks-keys" },
      [
        ["is-worked", "Worked"],
        ["is-holiday", "Holiday"],
      ].map(([kind, words]) => h("span", {}, h("span", { class: `weeks-key ${kind}`, "aria-hidden": "true" }), words)),
    ),
    coming.length > 0
      ? h(
          "ul",
          { class: "weeks-holidays" },
          coming.map((holiday) => h("li", {}, `${daysOf(holiday)}: ${holiday.name}`)),
        )
      : h("p", { class: "quiet" }, "No holiday in these weeks."),
  );
}

function daysOf({ first_day: first, last_day: last }) {
  return last && last !== first ? `${day(first)} to ${day(last)}` : day(first);
}

function mondayOf(date) {
  const at = Date.parse(date);
  return at - ((new Date(at).getUTCDay() + 6) % 7) * DAY;
}

function iso(at) {
  return new Date(at).toISOString().slice(0, 10);
}
