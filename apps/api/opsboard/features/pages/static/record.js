// The view with the form of one record. It comes to the browser when the first form is opened.

import { recall } from "./api.js";
import { h, replace } from "./dom.js";
import { isId, NAMED_BY } from "./filter-words.js";
import { counted } from "./freshness.js";
import { factList, ownFields } from "./list-parts.js";
import { problemWords } from "./notices.js";
import { recordForm } from "./record-form.js";
import { KINDS } from "./record-kinds.js";
import { address, route } from "./router.js";

/** A view for `#/<area>/new` (id null) or `#/<area>/<id>/edit`. */
export function record(area, id, context) {
  const kind = KINDS[area];
  const { query } = route();
  const path = id === null ? `/api/${area}` : `/api/${area}/${id}`;
  const element = h("div", { class: "record", tabindex: "-1" });
  const view = { title: id === null ? `New ${kind.one}` : `Edit ${kind.one}`, element, load };
  let shown = null; // the form
  let data = null; // what it was made from

  async function load(read) {
    counted(null);
    try {
      if (id === null) {
        if (!shown) show(null, await firstStates(read));
        return;
      }
      const found = await read(path);
      if (found === data) return;
      if (shown?.isDirty()) shown.renewed(found);
      else show(found);
    } catch (problem) {
      if (!problem.isFinal || problem.isSignedOut) throw problem;
      replace(element, h("h1", {}, view.title), problemWords(problem), home());
    }
  }

  // The members that the address names, as `#/working-hours/new?machine_id=3`; a record that is not there is left out.
  async function firstStates(read) {
    const known = fieldsOf(null).filter((field) => query.get(field.name));
    const states = await Promise.all(
      known.map(async (field) => {
        const value = query.get(field.name);
        if (field.kind !== "picker") return !field.values || field.values.includes(value) ? [field.name, value] : null;
        if (!NAMED_BY[field.name] || !isId(value)) return null;
        const [list, member] = NAMED_BY[field.name];
        try {
          return [field.name, { id: Number(value), name: (await read(`/api/${list}/${value}`))[member] }];
        } catch (problem) {
          if (!problem.isFinal || problem.isSignedOut) throw problem;
          return null;
        }
      }),
    );
    return Object.fromEntries(states.filter(Boolean));
  }

  function fieldsOf(found) {
    return kind.fields(context, found).filter(Boolean);
  }

  function show(found, first = {}) {
    const isFirst = shown === null;
    data = found;
    if (found) view.title = `Edit ${kind.nameOf(found)}`;
    if (!(found ? kind.mayEdit(context.me, found) : kind.mayCreate(context.me))) {
      return replace(
        element,
        h("h1", {}, view.title),
        h("p", { class: "problem" }, "Your role may not change this. Ask a manager."),
        home(),
      );
    }
    shown = recordForm({
      address: id ? `${area}/${id}` : address(`${area}/new`, query),
      path,
      first,
      act: context.act,
      nameOf: kind.nameOf,
      base: found && { data: found, etag: recall(path)?.etag ?? null },
      fields: fieldsOf(found),
      verb: found ? "Save" : `Add ${kind.one}`,
      leave: (made) => leave(made ?? found, made !== null && found === null),
    });
    const own = ownFields(found);
    replace(
      element,
      h("h1", {}, view.title),
      shown.element,
      own.length > 0 && [h("h2", {}, "Own fields"), factList(own)],
    );
    if (isFirst) shown.focus();
    return shown;
  }

  // Back to where the form was opened, scrolled as it was; a new record is shown instead of its form.
  function leave(found, isNew) {
    if (isNew) kind.made?.(found);
    if (context.cameFrom() && !(isNew && kind.page)) history.back();
    else location.replace(kind.page && found ? kind.page(found) : `#/${area}`);
  }

  function home() {
    return h("p", {}, h("a", { href: `#/${area}` }, `All ${kind.many ?? `${kind.one}s`}`));
  }

  return view;
}
