// The scanned step among the groups of the terminal: it is taken out of its group and shown first.

const PLACES = ["now", "next", "later"];

/**
 * Gives the groups without the step, and `scan`: null when nothing was scanned; else { step, place, words }, where
 * `place` is "now", "next" or "other" (it cannot be begun), and `words` say why there is no step.
 */
export function takeScanned(mine, scan) {
  if (!scan) return { ...mine, scan: null };
  const { scanned } = mine;
  const isIt = (step) =>
    scanned ? step.step_id === scanned.step_id : String(scan.kind === "step" ? step.step_id : step.job.id) === scan.id;
  const place = scanned === null ? undefined : PLACES.find((name) => mine[name].some(isIt));
  if (!place) return { ...mine, scan: { step: scanned ?? null, place: "other", words: wordsOf(scanned) } };
  const step = mine[place].find(isIt);
  const rest = mine[place].filter((each) => each !== step);
  return { ...mine, [place]: rest, scan: { step, place: place === "later" ? "other" : place, words: "" } };
}

function wordsOf(scanned) {
  return scanned === null
    ? "There is no such job or step here, or the job has no steps."
    : "This step is not on this device. It is looked up when the server can be reached.";
}
