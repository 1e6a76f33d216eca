// Problems of the shop floor: reported beside a machine, answered and closed in their list.

import { ask } from "./ask.js";
import { words } from "./chips.js";
import { h } from "./dom.js";
import { manages } from "./rights.js";

export const KINDS = ["material", "machine", "tool", "drawing", "quality", "safety", "other"];

export function problemButton(step, name, { act }) {
  const label = `Report a problem with ${name} of ${step.job.job_number}`;
  const report = async ({ currentTarget }) => {
    const check = (text) => (text ? "" : "Say what the problem is.");
    const answer = await ask({
      title: label,
      verb: "Report",
      fields: [
        { name: "kind", label: "What is it about?", options: KINDS.map((kind) => [kind, words(kind)]) },
        { name: "description", label: "What is the problem?", isText: true, check },
        { name: "holds_step", label: "Nobody can work on this step until it is solved", isFlag: true },
      ],
    });
    if (!answer) return;
    await act(currentTarget, {
      method: "POST",
      path: "/api/problems",
      content: { step_id: step.step_id, ...answer },
      done: "Reported. The managers are notified.",
      pressed: "Reported",
    });
  };
  return h(
    "button",
    {
      type: "button",
      class: "big-button plain-button",
      "data-key": `problem-${step.step_id}`,
      "aria-label": label,
      onclick: report,
    },
    "Problem",
  );
}

/** The buttons of a problem in the list. */
export function problemActions(problem, { act, me }) {
  if (problem.status === "closed") return null;
  const mayClose = manages(me) || problem.reported_by?.id === me.id;
  const short = problem.description.slice(0, 60);
  return [
    manages(me) &&
      h(
        "button",
        {
          type: "button",
          class: "move-button",
          "data-key": `answer-${problem.id}`,
          "aria-label": `Answer: ${short}`,
          onclick: answer,
        },
        "Answer",
      ),
    " ",
    mayClose &&
      h(
        "button",
        {
          type: "button",
          class: "move-button",
          "data-key": `close-${problem.id}`,
          "aria-label": `Close: ${short}`,
          onclick: close,
        },
        "Close",
      ),
  ];

  async function answer({ currentTarget }) {
    const check = (text) => (text ? "" : "Write an answer.");
    const given = await ask({
      title: "Answer a problem",
      text: problem.description,
      verb: "Answer",
      fields: [{ name: "answer", label: "Answer", isText: true, check }],
    });
    if (given)
      await act(currentTarget, {
        method: "POST",
        path: `/api/problems/${problem.id}/answer`,
        content: given,
        done: "Answered.",
      });
  }

  function close({ currentTarget }) {
    return act(currentTarget, {
      method: "POST",
      path: `/api/problems/${problem.id}/close`,
      content: {},
      done: "Closed.",
    });
  }
}
