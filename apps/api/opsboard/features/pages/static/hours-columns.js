// The columns, filters and pictures of working hours and holidays.

import { h } from "./dom.js";
import { day } from "./format.js";
import { dateFilter, editLink, flag, removeButton } from "./list-parts.js";
import { manages } from "./rights.js";
import { lengthOf, shiftWords, weekdayOf } from "./shift-words.js";

const picture = (ofWeek) => async (query) => (await import("./hours-picture.js")).hoursPicture(query, ofWeek);

export const HOURS = {
  "working-hours": {
    title: "Working hours",
    one: "shift",
    picture: picture(true),
    links: (me) => [
      manages(me) && ["New shift", "#/working-hours/new"],
      ["Holidays", "#/holidays"],
      ["Machines", "#/machines"],
    ],
    filters: [flag("of_business", "Only of the business")],
    columns: [
      ["Day", (shift) => h("strong", {}, weekdayOf(shift.weekday))],
      ["From", (shift) => shift.starts_at],
      [
        "Until",
        (shift) => [shift.ends_at, shift.ends_at <= shift.starts_at && h("span", { class: "quiet" }, " next day")],
      ],
      ["Length", (shift) => lengthOf(shift)],
      [
        "Of",
        (shift) =>
          shift.machine ? h("a", { href: `#/machines/${shift.machine.id}` }, shift.machine.name) : "The business",
      ],
      ["Change", (shift, { me }) => manages(me) && editLink("working-hours", shift, shiftWords(shift)), "control"],
      [
        "Remove",
        (shift, context) => manages(context.me) && removeButton("working-hours", shift, shiftWords(shift), context),
        "control",
      ],
    ],
  },
  holidays: {
    title: "Holidays",
    one: "holiday",
    picture: picture(false),
    links: (me) => [manages(me) && ["New holiday", "#/holidays/new"], ["Working hours", "#/working-hours"]],
    filters: [dateFilter("date_from", "From"), dateFilter("date_to", "Until")],
    columns: [
      ["Holiday", (holiday) => h("strong", {}, holiday.name)],
      ["First day", (holiday) => day(holiday.first_day)],
      ["Last day", (holiday) => day(holiday.last_day ?? holiday.first_day)],
      ["Change", (holiday, { me }) => manages(me) && editLink("holidays", holiday, holiday.name), "control"],
      [
        "Remove",
        (holiday, context) => manages(context.me) && removeButton("holidays", holiday, holiday.name, context),
        "control",
      ],
    ],
  },
};
