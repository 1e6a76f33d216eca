// Every change of data that the page makes: once for a press, confirmed by a toast, taken back by its Undo.

import { change, get, Problem, recall } from "./api.js";
import { clearNotice, showDone, showProblem } from "./notices.js";
import { hold, isLowPress } from "./steady.js";

// Gives act(button, write, row), which is true when the write was done. A write is { method, path, content, done },
// and where it can be taken back { undo(answer) -> write }. `note` says what Undo does not bring back; `then(answer)`
// shows what only the answer has; `pressed` is what the button says while its row stays; `doneOf(answer)` stands for `done`
// where only the answer knows; `send(write)` stands for the request, and gives { data } too; `refused(problem)` returns true if the caller shows the error itself.
export function writer({ changed, signedOut }) {
  return async function act(button, write, row = rowOf(button)) {
    // Not `disabled`: that would take the focus away from keyboard users.
    if (button.ariaDisabled === "true") return false;
    button.ariaDisabled = "true";
    let answer = null;
    try {
      const ifMatch = await write.before?.(write.path);
      answer = await (write.send ? write.send(write) : change(write.method, write.path, write.content, ifMatch));
      clearNotice();
      hold(button, row);
      if (write.pressed) button.textContent = write.pressed;
      tell(act, write, answer);
      await write.onDone?.(answer.data);
    } catch (problem) {
      button.ariaDisabled = null;
      if (problem.isSignedOut) return signedOut();
      if (!(await write.refused?.(problem))) showProblem(problem);
    }
    changed();
    return answer !== null;
  };
}

function tell(act, write, { data }) {
  const undo =
    write.undo && ((button) => act(button, { ...write.undo(data), before: (path) => unchanged(path, data) }));
  const warnings = [...(data?.warnings ?? []).map((warning) => warning.message ?? warning), write.note].filter(Boolean);
  showDone(write.doneOf?.(data) ?? write.done, { warnings, undo, isLow: isLowPress() });
}

// The ETag of what a write has changed, if nobody has changed it since: Undo must not take back the work of others.
async function unchanged(path, { updated_at: writtenAt = null }) {
  if (!writtenAt) return null;
  const now = await get(path);
  if (now.updated_at === writtenAt) return recall(path).etag;
  throw new Problem({ status: 412, detail: "It was changed by somebody else meanwhile. Nothing was undone." });
}

function rowOf(button) {
  return button.closest("[data-row]") ?? button;
}
