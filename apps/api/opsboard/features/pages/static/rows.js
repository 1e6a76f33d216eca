// The rows of a list under the poll: those that show the same as before stay as they are, so that a selected text, an open
// select and the place of a screen reader outlive a change of another row.

/** @type {WeakMap<Element, string>} */
const stamps = new WeakMap(); // row -> its item as text: what its buttons would send hangs on more than can be seen

/** @returns {Element} the row, which now stands for an item */
export function stamped(item, row) {
  stamps.set(row, JSON.stringify(item));
  return row;
}

/** Renews a container's table or list row by row. False when it is not the same table: then nothing was done. */
export function keepRows(container, content) {
  if (content.length !== 1 || container.children.length !== 1) return false;
  const [before, after] = [partsOf(container.firstElementChild), partsOf(content[0])];
  if (!before || !after || !before.heads.every((head, index) => head.isEqualNode(after.heads[index]))) return false;
  const old = new Map([...before.rows.children].map((row) => [row.dataset.row, row]));
  const next = [...after.rows.children].map((row) =>
    isSame(old.get(row.dataset.row), row) ? old.get(row.dataset.row) : row,
  );
  for (const row of old.values()) if (!next.includes(row)) row.remove();
  let place = before.rows.firstElementChild;
  for (const row of next) {
    if (row === place) place = place.nextElementSibling;
    else before.rows.insertBefore(row, place);
  }
  return true;
}

function isSame(before, after) {
  return (
    before !== undefined && stamps.has(before) && stamps.get(before) === stamps.get(after) && before.isEqualNode(after)
  );
}

// The container of the rows, and its heading. Only lists have rows with stamps.
/** @returns {{ heads: Element[], rows: any } | null} */
function partsOf(element) {
  if (!(element instanceof Element)) return null;
  if (element instanceof HTMLTableElement && element.matches(".list-table"))
    return { heads: [element.caption, element.tHead], rows: element.tBodies[0] };
  return element.matches(".lines") ? { heads: [], rows: element } : null;
}
