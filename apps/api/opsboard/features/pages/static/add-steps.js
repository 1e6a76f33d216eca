// The form that adds steps to a job.

import { h, replace } from "./dom.js";
import { counted } from "./freshness.js";
import { problemWords } from "./notices.js";
import { recordForm } from "./record-form.js";
import { stepsOf } from "./record-kinds.js";
import { manages } from "./rights.js";
import { people } from "./sources.js";

export function addSteps(id, { me, act, cameFrom }) {
  const element = h("div", { class: "record", tabindex: "-1" }, h("p", { class: "waiting" }, "Loading …"));
  const view = { title: "Add steps", element, load };
  const home = `#/jobs/${id}`;
  let isShown = false;

  async function load(read) {
    counted(null);
    if (isShown) return;
    try {
      show(await read(`/api/jobs/${id}?fields=job_number,title`));
    } catch (problem) {
      if (!problem.isFinal || problem.isSignedOut) throw problem;
      replace(
        element,
        h("h1", {}, view.title),
        problemWords(problem),
        h("p", {}, h("a", { href: "#/jobs" }, "All jobs")),
      );
    }
  }

  function show({ job_number: number }) {
    isShown = true;
    view.title = `Add steps to ${number}`;
    if (!manages(me))
      return replace(
        element,
        h("h1", {}, view.title),
        h("p", { class: "problem" }, "Your role may not change this. Ask a manager."),
        h("p", {}, h("a", { href: home }, number)),
      );
    const form = recordForm({
      address: `jobs/${id}/steps`,
      path: `/api/jobs/${id}/steps`,
      base: null,
      act,
      verb: "Add steps",
      nameOf: () => `steps to ${number}`,
      fields: [
        { ...stepsOf({ people }), required: true },
        {
          name: "position",
          label: "Place of the first one",
          kind: "number",
          hint: "1 is before all others. Left empty, they come behind the last step.",
        },
      ],
      leave: () => (cameFrom() ? history.back() : location.replace(home)),
    });
    replace(element, h("h1", {}, view.title), form.element);
    return form.focus();
  }

  return view;
}
