// One person, for admins: the account, the link by which they set a password, and the work assigned to them.

import { tokenForm } from "./account.js";
import { anonymiseButton } from "./anonymise.js";
import { archiveButton } from "./archive.js";
import { ask } from "./ask.js";
import { chip, words } from "./chips.js";
import { h, replace } from "./dom.js";
import { history } from "./history.js";
import { control } from "./fields.js";
import { count, dateTime } from "./format.js";
import { counted } from "./freshness.js";
import { editLink } from "./list-parts.js";
import { problemWords } from "./notices.js";
import { pageOf } from "./router.js";
import { secret, takeInvitation } from "./secrets.js";
import { people } from "./sources.js";

export function user(id, context) {
  const { me, act: write } = context;
  // Nothing here moves up under the pointer, so no row has to stay in its place.
  const act = (pressed, content) => write(pressed, content, h("div", {}));
  const path = `/api/users/${encodeURIComponent(id)}`;
  const element = h("div", { class: "record", tabindex: "-1" });
  const head = h("div", {});
  const shownOnce = h("div", {});
  const tokens = h("div", {});
  const work = h("div", {});
  const past = history("user", id, { me });
  const successor = control(
    {
      name: "to_user_id",
      label: "Hand everything over to",
      kind: "picker",
      source: people,
      hint: "Left empty, it is assigned to nobody.",
    },
    () => {},
  );
  const handOverForm = h(
    "form",
    { class: "record-form", onsubmit: (event) => event.preventDefault() },
    successor.element,
  );
  const view = { title: "Person", element, load, changed: () => (shown = {}) };
  let shown = {};

  async function load(read) {
    counted(null);
    try {
      const [found, assigned] = await Promise.all([read(path), read(`${path}/work`)]);
      view.title = found.full_name;
      if (found !== shown.found) replace(head, ...parts(found));
      if (assigned !== shown.assigned || found !== shown.found) showWork(found, assigned);
      shown = { found, assigned };
      if (!head.isConnected) replace(element, head, shownOnce, tokens, work, past.element);
      tokens.hidden = !(found.is_service && found.is_active);
      if (!tokens.hidden && !tokens.firstChild)
        replace(
          tokens,
          tokenForm(context, shownOnce, found.id),
          h("p", { class: "quiet" }, "Your account lists all tokens, to be revoked."),
        );
      const invitation = takeInvitation(found.id);
      if (invitation) showLink(found, invitation);
      await past.load(read);
    } catch (problem) {
      if (!problem.isFinal || problem.isSignedOut) throw problem;
      replace(
        element,
        h("h1", {}, view.title),
        problemWords(problem),
        h("p", {}, h("a", { href: "#/users" }, "All users")),
      );
    }
  }

  function parts(found) {
    const link = found.password_link;
    const facts = [
      ["E-mail", found.email],
      ["Role", words(found.role)],
      ["Kind", found.is_service ? "Service account" : "Person"],
      ["Password", found.is_service ? "–" : found.has_password ? "Set" : "Not set yet"],
      ["Link to set one", link ? `Open until ${dateTime(link.expires_at)}` : "None"],
      ["Added", dateTime(found.created_at)],
    ];
    return [
      h(
        "div",
        { class: "list-head" },
        h("h1", {}, found.full_name),
        chip(found.is_active ? "active" : "inactive"),
        found.archived_at && chip("archived"),
        editLink("users", found, found.full_name),
      ),
      h(
        "dl",
        { class: "facts" },
        facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
      ),
      !found.is_service &&
        found.is_active &&
        h(
          "div",
          { class: "field-row actions" },
          button(found.has_password ? "New reset link" : "New invitation link", "new-link", (pressed) =>
            makeLink(pressed, found),
          ),
          link &&
            button("Revoke the link", "revoke-link", (pressed) =>
              act(pressed, {
                method: "DELETE",
                path: `${path}/password-link`,
                done: "The link was revoked.",
                onDone: () => replace(shownOnce),
              }),
            ),
        ),
    ];
  }

  function makeLink(pressed, found) {
    return act(pressed, {
      method: "POST",
      path: `${path}/password-link`,
      done: "The link was made.",
      onDone: (made) => showLink(found, made),
    });
  }

  function showLink(found, { url, expires_at: end }) {
    replace(
      shownOnce,
      secret(
        `Give this link to ${found.full_name}. It is good once, until ${dateTime(end)}, and is shown only now.`,
        "Link to set a password",
        url,
      ),
    );
  }

  function showWork(found, assigned) {
    const kinds = [
      ["steps", "step"],
      ["leads", "lead"],
      ["approvals", "approval"],
    ].filter(([kind]) => assigned[kind]);
    const isOther = found.id !== me.id;
    replace(
      work,
      h("h2", {}, "Open work"),
      kinds.length
        ? h(
            "ul",
            {},
            kinds.map(([kind, one]) =>
              h("li", {}, h("a", { href: pageOf(assigned.links[kind]) }, count(assigned[kind], one))),
            ),
          )
        : h("p", { class: "empty" }, "Nothing is assigned."),
      kinds.length > 0 && handOverForm,
      h(
        "div",
        { class: "field-row actions" },
        kinds.length > 0 && button("Hand over", "hand-over", (pressed) => handOver(pressed, found, false)),
        isOther &&
          found.is_active &&
          button(kinds.length ? "Hand over and deactivate" : "Deactivate", "deactivate", (pressed) =>
            handOver(pressed, found, true),
          ),
        !found.is_active &&
          button("Reactivate", "reactivate", (pressed) =>
            act(pressed, {
              method: "PATCH",
              path,
              content: { is_active: true },
              done: `${found.full_name} is active again.`,
            }),
          ),
        isOther && archiveButton("users", found, found.full_name, context),
        isOther && !found.is_active && anonymiseButton(path, found.full_name, { me, act }),
      ),
    );
  }

  async function handOver(pressed, found, isEnd) {
    const name = successor.state()?.name ?? "nobody";
    const text = isEnd
      ? `All open work goes to ${name}, and every sign-in of ${found.full_name} ends.`
      : `All open work goes to ${name}.`;
    const answer = await ask({
      title: isEnd ? `Deactivate ${found.full_name}?` : `Hand over the work of ${found.full_name}?`,
      text,
      verb: isEnd ? "Deactivate" : "Hand over",
    });
    if (answer === null) return;
    await act(pressed, {
      method: "POST",
      path: `${path}/hand-over`,
      content: { to_user_id: successor.value(), deactivate: isEnd },
      doneOf: (made) =>
        `Handed over ${count(made.steps + made.leads + made.approvals, "item")} to ${name}.${isEnd ? ` ${found.full_name} is inactive.` : ""}`,
    });
  }

  return view;
}

function button(label, key, press) {
  return h(
    "button",
    { type: "button", class: "move-button", "data-key": key, onclick: ({ currentTarget }) => press(currentTarget) },
    label,
  );
}
