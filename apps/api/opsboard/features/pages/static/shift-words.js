// The words of a shift: its day and its times.

const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/** "Monday" of 1, Monday, to 7, Sunday. */
export const weekdayOf = (weekday) => DAYS[Number(weekday) - 1];

/** "Monday 22:00 to 06:00". */
export function shiftWords({ weekday, starts_at: from, ends_at: until }) {
  return `${weekdayOf(weekday)} ${from} to ${until}`;
}

/** "8 h", "7 h 30 min": of a shift, past midnight too. */
export function lengthOf({ starts_at: from, ends_at: until }) {
  const minutes = (minuteOf(until) - minuteOf(from) + 1440) % 1440 || 1440;
  return [Math.floor(minutes / 60) && `${Math.floor(minutes / 60)} h`, minutes % 60 && `${minutes % 60} min`]
    .filter(Boolean)
    .join(" ");
}

/** A shift as stretches of a day, in minutes; past midnight it has a second one on the next day. */
export function stretchesOf({ weekday, starts_at: from, ends_at: until }) {
  const [begin, end] = [minuteOf(from), minuteOf(until)];
  if (end > begin) return [{ weekday, from: begin, until: end }];
  const first = { weekday, from: begin, until: 1440, goesOn: end > 0 };
  return end > 0 ? [first, { weekday: (weekday % 7) + 1, from: 0, until: end, isBegun: true }] : [first];
}

function minuteOf(clock) {
  const [hours, minutes] = clock.split(":").map(Number);
  return hours * 60 + minutes;
}
