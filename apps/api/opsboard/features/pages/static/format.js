// Numbers and times as the reader writes them, in the time zone of the business.

const NUMBER = new Intl.NumberFormat();
const DAY = new Intl.DateTimeFormat(undefined, { timeZone: "UTC", day: "numeric", month: "short", year: "numeric" });
const SHORT_DAY = new Intl.DateTimeFormat(undefined, { timeZone: "UTC", day: "numeric", month: "short" });
const MONTH = new Intl.DateTimeFormat(undefined, { timeZone: "UTC", month: "long", year: "numeric" });
const SHORT_MONTH = new Intl.DateTimeFormat(undefined, { timeZone: "UTC", month: "short" });

const RELATIVE = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const NEAR = 7; // days: beyond them a date says more than a number of days

let clock;
let shortClock;
let isoDay;
let standsAt = null; // the day at which the records of the business stand still
let moment;
let civilDay;

/** The civil date that "today" is, for a business whose records stand still. */
export function setToday(date) {
  standsAt = date ?? null;
}

export function setTimeZone(zone) {
  const known = isKnown(zone) ? { timeZone: zone } : {}; // Postgres knows names that a browser may not
  clock = new Intl.DateTimeFormat(undefined, { ...known, timeStyle: "medium" });
  shortClock = new Intl.DateTimeFormat(undefined, { ...known, timeStyle: "short" });
  isoDay = new Intl.DateTimeFormat("sv", { ...known, dateStyle: "short" });
  moment = new Intl.DateTimeFormat(undefined, { ...known, dateStyle: "medium", timeStyle: "short" });
  civilDay = new Intl.DateTimeFormat(undefined, { ...known, dateStyle: "short" });
}

export function number(value) {
  return NUMBER.format(value);
}

export function time(instant) {
  return clock.format(new Date(instant));
}

// The time alone while it is today's: on Monday morning, Friday's needs its date.
export function timeOrDate(instant) {
  const isToday = civilDay.format(new Date(instant)) === civilDay.format(new Date());
  return isToday ? time(instant) : dateTime(instant);
}

export function dateTime(instant) {
  return instant ? moment.format(new Date(instant)) : "–";
}

// A civil date, "2025-03-01": the same day everywhere, so it is never shifted by a zone.
export function day(date) {
  return date ? DAY.format(new Date(`${date}T00:00Z`)) : "–";
}

/** "1 Mar", where the year is plain. */
export function shortDay(date) {
  return SHORT_DAY.format(new Date(`${date}T00:00Z`));
}

/** The civil date of now in the time zone of the business. */
export function today() {
  return standsAt ?? isoDay.format(new Date());
}

/** "today", "in 3 days", "2 days ago"; from a week on the date. */
export function nearDay(date) {
  if (!date) return "–";
  const days = daysLate(today(), date);
  return Math.abs(days) < NEAR ? RELATIVE.format(days, "day") : day(date);
}

/** "today 07:59", "yesterday 16:20"; otherwise with its date. */
export function nearTime(instant) {
  if (!instant) return "–";
  const days = daysLate(isoDay.format(new Date()), isoDay.format(new Date(instant)));
  return Math.abs(days) < 2
    ? `${RELATIVE.format(days, "day")} ${shortClock.format(new Date(instant))}`
    : dateTime(instant);
}

export function month(yearAndMonth) {
  return MONTH.format(new Date(`${yearAndMonth}-01T00:00Z`));
}

// "Mar", with the year under the first and each January.
export function monthLabel(yearAndMonth, index) {
  const name = SHORT_MONTH.format(new Date(`${yearAndMonth}-01T00:00Z`));
  const year = yearAndMonth.slice(0, 4);
  return index === 0 || yearAndMonth.endsWith("-01") ? [name, year] : name;
}

export function daysLate(due, today) {
  return Math.round((Date.parse(today) - Date.parse(due)) / 86_400_000);
}

// "31 hours", and days from two of them on.
export function age(hours) {
  return hours < 48 ? count(hours, "hour") : count(Math.floor(hours / 24), "day");
}

export function count(amount, singular, plural = `${singular}s`) {
  return `${number(amount)} ${amount === 1 ? singular : plural}`;
}

function isKnown(zone) {
  try {
    new Intl.DateTimeFormat(undefined, { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
