// The use of each column of a file, read from a mapping and written into one.

const ONE_COLUMN = /^\{([^{}]+)\}$/; // a template that is one column and nothing else
export const LINE = "#line"; // in place of a column: the number of the line

/**
 * @typedef {{ name: string, path: string, sheet: string, settings: object, columns: string[], rows: any[], problem: string }} SeenFile
 * @typedef {{ table: string, columns: any[], parents: any[] }} Target
 * @typedef {{ files: Record<string, any>, tables: Record<string, any> }} Mapping
 */

/** The column that a value of a mapping is, perhaps with another text where it is empty; null for anything else. */
export function columnOf(value) {
  const text = typeof value === "string" ? value : (value?.value ?? value?.first_of?.[0]);
  return typeof text === "string" ? (text.match(ONE_COLUMN)?.[1] ?? null) : null;
}

/**
 * Where values go, as "columns.title" or "parents.customer", each with what it is filled from.
 * @returns {[string, any][]}
 */
function slotsOf(entry) {
  return ["columns", "parents"].flatMap((kind) =>
    Object.entries(entry[kind] ?? {}).map(([name, value]) => /** @type {[string, any]} */ ([`${kind}.${name}`, value])),
  );
}

/**
 * The columns of a file in its table of a mapping.
 * @returns {{ slots: Map<string, string>, rest: [string, any][] }} column -> slot, and what is no single column
 */
export function choicesOf(entry, columns) {
  const slots = new Map();
  /** @type {[string, any][]} */
  const rest = [];
  for (const [slot, value] of slotsOf(entry)) {
    const column = columnOf(value);
    if (column !== null && columns.includes(column) && !slots.has(column)) slots.set(column, slot);
    else rest.push([slot, value]);
  }
  return { slots, rest };
}

/** The mapping in which a column of a table's file becomes `slot`; "" for nothing. */
export function withColumn(mapping, name, column, slot) {
  const entry = mapping.tables[name];
  const { slots } = choicesOf(entry, [column]);
  const [before, value] = [slots.get(column), valueAt(entry, slots.get(column))];
  let changed = before ? without(entry, before) : entry;
  if (slot) {
    const [kind, target] = slot.split(".");
    // The formats and words of a guess go with the column only as long as it stays what it was.
    changed = { ...changed, [kind]: { ...changed[kind], [target]: slot === before ? value : `{${column}}` } };
  }
  return withTable(mapping, name, changed);
}

export function withoutSlot(mapping, name, slot) {
  return withTable(mapping, name, without(mapping.tables[name], slot));
}

export function withKey(mapping, name, column) {
  return withTable(mapping, name, { ...mapping.tables[name], external_id: `{${column}}` });
}

/** The mapping in which a file fills another table; "" for none. */
export function withTarget(mapping, name, file, target) {
  const { [name]: entry, ...tables } = mapping.tables;
  if (!target) return onlyUsed({ ...mapping, tables });
  const kept = Object.fromEntries(
    Object.entries(entry?.columns ?? {}).filter(([column]) => target.columns.some((one) => one.name === column)),
  );
  const fresh = Object.fromEntries(
    target.columns.filter((one) => file.columns.includes(one.name)).map((one) => [one.name, `{${one.name}}`]),
  );
  const made = {
    table: target.table,
    file: file.name,
    external_id: entry?.external_id ?? `{${file.columns[0]}}`,
    columns: { ...fresh, ...kept },
  };
  const free = tables[target.table] ? `${target.table}_${file.name}` : target.table;
  return onlyUsed({
    files: { ...mapping.files, [file.name]: mapping.files[file.name] ?? file.settings },
    tables: { ...tables, [free]: made },
  });
}

/** Required columns and parents of a table that nothing fills yet. */
export function lacking(entry, target) {
  const filled = new Set(slotsOf(entry).map(([slot]) => slot));
  return [
    ...target.columns.map((one) => ({ ...one, slot: `columns.${one.name}` })),
    ...target.parents.map((one) => ({ ...one, slot: `parents.${one.name}` })),
  ]
    .filter((one) => one.is_required && !filled.has(one.slot))
    .map(({ name }) => name);
}

function valueAt(entry, slot) {
  if (!slot) return null;
  const [kind, name] = slot.split(".");
  return entry[kind][name];
}

// A status by dates needs its dates.
function without(entry, slot) {
  const [kind, name] = slot.split(".");
  const { [name]: _gone, ...others } = entry[kind];
  const stages = entry.stages?.filter((stage) => kind !== "columns" || stage.since !== name);
  return { ...entry, [kind]: others, ...(stages ? { stages } : {}) };
}

function withTable(mapping, name, entry) {
  return { ...mapping, tables: { ...mapping.tables, [name]: entry } };
}

function onlyUsed(mapping) {
  const used = new Set(
    Object.values(mapping.tables).flatMap((entry) => [
      entry.file,
      ...Object.values(entry.lookups ?? {}).map((one) => one.file),
    ]),
  );
  return { ...mapping, files: Object.fromEntries(Object.entries(mapping.files).filter(([name]) => used.has(name))) };
}
