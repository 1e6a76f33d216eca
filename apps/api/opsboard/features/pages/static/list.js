// A list: its filters, a page of it, and the way to the next; it is polled like the board.

import { LISTS } from "./columns.js";
import { h, replace } from "./dom.js";
import { isId, NAMED_BY, titleOf } from "./filter-words.js";
import { filters } from "./filters.js";
import { count } from "./format.js";
import { counted } from "./freshness.js";
import { emptyState } from "./list-parts.js";
import { problemWords } from "./notices.js";
import { address } from "./router.js";
import { stamped } from "./rows.js";
import { selection } from "./selection.js";
import { hidden, views } from "./views.js";

const PAGE_SIZE = 25;
const OF_PAGE = ["hide", "view"]; // parts of the address that are not for the API

export function list(area, query, context) {
  const kind = LISTS[area];
  const title = titleOf(kind, query);
  const asked = kind.filters
    .map((filter) => (typeof filter === "function" ? filter(context.me) : filter))
    .filter(Boolean);
  const total = h("p", { class: "total", id: "total" });
  const bar = views(
    area,
    query,
    kind.columns.map(([head]) => head),
    context,
  );
  const without = hidden(query);
  const left = kind.columns.filter(([head], index) => index === 0 || !without.includes(head));
  const picture = pictureOf(kind, query);
  const body = h("div", { class: "list-body", tabindex: "-1" }, h("p", { class: "waiting" }, "Loading …"));
  const chosen = kind.bulk?.may(context.me, null) ? selection(kind, context) : null;
  const columns = chosen ? chosen.columns(left) : left;
  const pages = h("nav", { class: "pages", "aria-label": "Pages" });
  const element = h(
    "div",
    { class: "list" },
    h(
      "div",
      { class: "list-head" },
      h("h1", {}, title),
      total,
      kind.action && actionButton(kind.action, context),
      linksOf(kind, query, context).map(([words, href]) => h("a", { class: "plain-button", href }, words)),
    ),
    asked.length > 0 && filters(area, query, asked),
    bar.element,
    picture?.element,
    chosen?.element,
    body,
    pages,
    h("p", { class: "export" }, h("a", { href: exportOf(area, query), download: "" }, "Export as CSV")),
  );
  let shown = null;

  async function load(read) {
    counted(null);
    try {
      // The list is shown even if its saved views or its picture cannot be read.
      const [page] = await Promise.all([
        read(pathOf(area, query)),
        bar.load(read).catch(() => {}),
        picture?.load(read).catch(() => {}),
      ]);
      if (page !== shown) showPage(page);
      shown = page;
      // A page behind a cursor is not counted; the first one is.
      const counts = page.total === undefined ? await read(pathOf(area, withoutCursor(query), 1)) : page;
      total.textContent = count(counts.total, kind.one, kind.many);
    } catch (problem) {
      if (!problem.isFinal || problem.isSignedOut) throw problem;
      // The address asks for something that is not there.
      replace(
        body,
        h(
          "div",
          { class: "trouble-state" },
          problemWords(problem),
          h("a", { class: "plain-button", href: `#/${area}` }, "Show the whole list"),
        ),
      );
      shown = null;
    }
  }

  function showPage(page) {
    chosen?.renew(page.items);
    replace(
      body,
      page.items.length
        ? table(title, columns, page.items, context, sortLink)
        : nothingListed(kind, area, query, context),
    );
    replace(pages, turn("Previous", page.previous_cursor), turn("Next", page.next_cursor));
    pages.hidden = !page.previous_cursor && !page.next_cursor;
  }

  // The head of a column that the list can be sorted by: another press turns the order round.
  function sortLink(head) {
    const [, , , by] = kind.columns.find(([name]) => name === head) ?? [];
    if (!by) return null;
    const now = query.get("sort") ?? asked.find(({ name }) => name === "sort")?.values[0] ?? "";
    const first = by.replace(/^-/, "");
    const isSorted = now.replace(/^-/, "") === first;
    const isDown = now.startsWith("-");
    const next = new URLSearchParams(query);
    next.delete("cursor");
    next.set("sort", isSorted ? (isDown ? first : `-${first}`) : by);
    return { href: address(area, next), order: isSorted ? (isDown ? "descending" : "ascending") : null };
  }

  function turn(label, cursor) {
    if (!cursor) return h("span", { class: "turn", "aria-disabled": "true" }, label);
    const next = new URLSearchParams(query);
    next.set("cursor", cursor);
    return h("a", { class: "turn", href: address(area, next), "data-key": label }, label);
  }

  return { title, element, load, changed: () => (shown = null) };
}

// The picture above the rows of some lists. Its code is loaded when the list is opened.
function pictureOf(kind, query) {
  if (!kind.picture) return null;
  const element = h("div", {});
  const coming = kind.picture(query);
  return {
    element,
    async load(read) {
      const shown = await coming;
      if (!element.firstChild) element.append(shown.element);
      await shown.load(read);
    },
  };
}

// A new record begins with what the list is narrowed to: that customer, that machine.
function linksOf(kind, query, context) {
  const chosen = new URLSearchParams([...query].filter(([name, value]) => NAMED_BY[name] && isId(value)));
  return (kind.links?.(context.me) ?? [])
    .filter(Boolean)
    .map(([words, href]) => [words, href.endsWith("/new") && chosen.size ? `${href}?${chosen}` : href]);
}

// Narrowed, the way out is the whole list; otherwise it is the form of the first one.
function nothingListed(kind, area, query, context) {
  const many = kind.many ?? `${kind.one}s`;
  const isNarrowed = [...query.keys()].some(
    (name) => !["cursor", "page", "page_size", "sort", ...OF_PAGE].includes(name),
  );
  if (isNarrowed) return emptyState(`There are no ${many} like this.`, [[`Show all ${many}`, `#/${area}`]]);
  const links = linksOf(kind, query, context).filter(([words]) => words.startsWith("New"));
  return emptyState(`There are no ${many} yet.`, links);
}

function pathOf(area, query, size = PAGE_SIZE) {
  const asked = new URLSearchParams(query);
  for (const name of OF_PAGE) asked.delete(name);
  if (!asked.has("page_size")) asked.set("page_size", String(size));
  return `/api/${area}?${asked}`;
}

function exportOf(area, query) {
  const asked = new URLSearchParams(query);
  for (const name of ["cursor", "page_size", ...OF_PAGE]) asked.delete(name);
  asked.set("bom", "true");
  asked.set("headings", "words");
  return `/api/${area}/export?${asked}`;
}

function withoutCursor(query) {
  const counted = new URLSearchParams(query);
  for (const name of ["cursor", "page_size", "sort", ...OF_PAGE]) counted.delete(name);
  return counted;
}

function actionButton({ verb, write }, { act }) {
  return h(
    "button",
    { type: "button", class: "plain-button", onclick: ({ currentTarget }) => act(currentTarget, write) },
    verb,
  );
}

// Roles are said aloud again because a phone shows rows as cards, and a table that is no table loses them.
// `sortLink(head)` gives { href, order } for a column that can be sorted by.
export function table(caption, columns, items, context, sortLink = (_head) => null) {
  const cells = items.map((item) => columns.map(([, cell]) => cell(item, context)));
  // A column of controls of which this role has none is left out.
  const isShown = (_, index) => columns[index][2] !== "control" || cells.some((row) => !isNothing(row[index]));
  const rows = cells.map((row) => row.filter(isShown));
  columns = columns.filter(isShown);
  // On paper: nothing to press, and no column without a value.
  const kinds = columns.map(([, , kind], index) =>
    kind !== "control" && rows.every((cells) => isNothing(cells[index])) ? "is-empty" : (kind ?? null),
  );
  const row = (cells, at) =>
    stamped(
      items[at],
      h(
        "tr",
        { role: "row", "data-row": items[at].id },
        cells.map((cell, index) =>
          h(
            index ? "td" : "th",
            {
              role: index ? "cell" : "rowheader",
              scope: index ? null : "row",
              "data-head": columns[index][0],
              class: kinds[index],
            },
            isNothing(cell) ? nothing() : cell,
          ),
        ),
      ),
    );
  return h(
    "table",
    { class: "list-table", role: "table" },
    h("caption", { class: "visually-hidden" }, caption),
    h(
      "thead",
      { role: "rowgroup" },
      h(
        "tr",
        { role: "row" },
        columns.map(([head], index) => headCell(head, kinds[index], sortLink(head))),
      ),
    ),
    h("tbody", { role: "rowgroup" }, rows.map(row)),
  );
}

function headCell(head, kind, sorted) {
  const content = sorted
    ? h(
        "a",
        { class: "sort-link", href: sorted.href, "data-key": `sort-${head}` },
        head,
        h("span", { "aria-hidden": "true" }, { ascending: " ▲", descending: " ▼" }[sorted.order] ?? ""),
      )
    : head;
  return h("th", { scope: "col", role: "columnheader", class: kind, "aria-sort": sorted?.order }, content);
}

function isNothing(cell) {
  return cell === null || cell === undefined || cell === false || cell === "" || cell === "–";
}

function nothing() {
  return h("span", { class: "quiet nothing" }, "–");
}
