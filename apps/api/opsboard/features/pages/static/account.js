// Your own account: name, password, where you are signed in, and tokens for programs.

import { change, get, recall, write } from "./api.js";
import { h, replace } from "./dom.js";
import { control } from "./fields.js";
import { dateTime } from "./format.js";
import { counted } from "./freshness.js";
import { table } from "./list.js";
import { rowButton } from "./list-parts.js";
import { administers } from "./rights.js";
import { announce, problemWords, showDone, showProblem } from "./notices.js";
import { secret } from "./secrets.js";
import { complaintOf } from "./validation.js";
import { scopeWords, wallForm } from "./wall-link.js";

const SCOPES = ["read", "write", "health", "metrics"];

export function account(context) {
  const sessions = h("div", {});
  const tokens = h("div", {});
  const shownOnce = h("div", {});
  const element = h(
    "div",
    { class: "account", tabindex: "-1" },
    h("h1", {}, "Your account"),
    h("p", {}, `${context.me.full_name}, ${context.me.email}, ${context.me.role}`),
    h("div", { class: "record" }, nameForm(context), passwordForm()),
    h("h2", {}, "Where you are signed in"),
    sessions,
    h("h2", {}, "Tokens for programs"),
    shownOnce,
    tokens,
    h(
      "div",
      { class: "record" },
      tokenForm(context, shownOnce),
      administers(context.me) && wallForm(context, shownOnce),
    ),
  );
  let shown = {};

  async function load(read) {
    counted(null);
    const [places, list] = await Promise.all([read("/api/auth/sessions"), read("/api/tokens?page_size=100&cursor=")]);
    if (places !== shown.places)
      replace(sessions, table("Where you are signed in", SESSION_COLUMNS, places.items, context), endOthers(context));
    if (list !== shown.list)
      replace(
        tokens,
        list.items.length
          ? table("Tokens", TOKEN_COLUMNS, list.items, context)
          : h("p", { class: "empty" }, "There are no tokens."),
      );
    shown = { places, list };
  }

  return { title: "Your account", element, load, changed: () => (shown = {}) };
}

const SESSION_COLUMNS = [
  ["Device", (session) => [h("strong", {}, deviceWords(session.device)), session.is_current && " (this one)"]],
  ["Address", (session) => session.address],
  ["Signed in", (session) => dateTime(session.created_at), "when"],
  ["Last used", (session) => dateTime(session.last_used_at), "when"],
  [
    "Sign out",
    (session, { act }) =>
      !session.is_current &&
      rowButton("Sign out", `Sign out ${deviceWords(session.device)}`, `end-${session.id}`, (button) =>
        act(button, { method: "DELETE", path: `/api/auth/sessions/${session.id}`, done: "Signed out there." }),
      ),
    "control",
  ],
];

const TOKEN_COLUMNS = [
  [
    "Token",
    (token) =>
      h("span", { class: "named" }, h("strong", {}, token.name), h("span", { class: "line-text" }, `${token.hint} …`)),
  ],
  ["Of", (token) => token.user.name],
  ["Scopes", (token) => scopeWords(token)],
  ["Last used", (token) => (token.last_used_at ? dateTime(token.last_used_at) : "Never"), "when"],
  [
    "Ends",
    (token) =>
      token.revoked_at
        ? ["Revoked ", h("span", { class: "when" }, dateTime(token.revoked_at))]
        : h("span", { class: "when" }, dateTime(token.expires_at)),
  ],
  [
    "Revoke",
    (token, { act }) =>
      !token.revoked_at &&
      rowButton("Revoke", `Revoke ${token.name}`, `revoke-${token.id}`, (button) =>
        act(button, { method: "DELETE", path: `/api/tokens/${token.id}`, done: `Revoked ${token.name}.` }),
      ),
    "control",
  ],
];

// The answer has a token, which the cookie carries already: it is not read.
function endOthers({ refresh }) {
  const press = (button) =>
    plainly(button, async () => {
      await write("POST", "/api/auth/sessions/end-others");
      showDone("Signed out everywhere else.");
      refresh();
    });
  return h(
    "p",
    { class: "actions" },
    rowButton("Sign out everywhere else", "Sign out everywhere else", "end-others", press),
  );
}

// "Firefox on Windows" out of what a browser says of itself.
function deviceWords(agent) {
  const [, browser] =
    [
      ["Edg/", "Edge"],
      ["OPR/", "Opera"],
      ["Firefox/", "Firefox"],
      ["Chrome/", "Chrome"],
      ["Safari/", "Safari"],
    ].find(([mark]) => agent?.includes(mark)) ?? [];
  const [, system] =
    [
      ["Android", "Android"],
      ["iPhone", "iPhone"],
      ["iPad", "iPad"],
      ["Windows", "Windows"],
      ["Mac OS", "Mac"],
      ["Linux", "Linux"],
    ].find(([mark]) => agent?.includes(mark)) ?? [];
  return browser ? [browser, system].filter(Boolean).join(" on ") : agent?.slice(0, 60) || "Unknown device";
}

/** A small form: fields, a button, and the API's complaints at their fields. `send(values)` gives the sentence of success. */
export function smallForm(title, fields, verb, send, extra = null) {
  const controls = fields.map((field) => control(field, () => {}));
  const problem = h("div", { role: "alert" });
  const button = h("button", { type: "submit", class: "main-button" }, verb);
  for (const one of controls) one.set(one.field.initial ?? "");

  async function submit(event) {
    event.preventDefault();
    replace(problem);
    for (const one of controls) one.complain(one.mistake());
    const wrong = controls.find((one) => one.mistake());
    if (wrong) return wrong.focus();
    return plainly(
      button,
      async () => {
        const sentence = await send(Object.fromEntries(controls.map((one) => [one.field.name, one.state()])));
        if (!sentence) return;
        for (const one of controls) if (one.field.kind === "password") one.set("");
        showDone(sentence);
      },
      (found) => {
        const named = controls.filter((one) => found.fields?.some(({ field }) => field === one.field.name));
        for (const one of named)
          one.complain(
            complaintOf(
              found.fields.find(({ field }) => field === one.field.name),
              one.field.label,
            ),
          );
        if (named.length) named[0].focus();
        else replace(problem, problemWords(found));
      },
    );
  }

  return h(
    "form",
    { class: "record-form", novalidate: true, onsubmit: submit },
    h("h2", {}, title),
    controls.map(({ element }) => element),
    extra,
    problem,
    h("div", { class: "field-row" }, button),
  );
}

async function plainly(button, send, refused = showProblem) {
  if (button.ariaDisabled === "true") return;
  button.ariaDisabled = "true";
  try {
    await send();
  } catch (problem) {
    refused(problem);
  } finally {
    button.ariaDisabled = null;
  }
}

function nameForm({ me, renamed }) {
  const fields = [{ name: "full_name", label: "Name", required: true, initial: me.full_name }];
  return smallForm("Name", fields, "Save name", async ({ full_name: name }) => {
    await get("/api/auth/me");
    const { data } = await change(
      "PATCH",
      "/api/auth/me",
      { full_name: name.trim() },
      recall("/api/auth/me")?.etag ?? null,
    );
    renamed(data);
    return `Your name is now ${data.full_name}.`;
  });
}

function passwordForm() {
  const fields = [
    {
      name: "current_password",
      label: "Present password",
      kind: "password",
      required: true,
      autocomplete: "current-password",
    },
    {
      name: "new_password",
      label: "New password",
      kind: "password",
      required: true,
      autocomplete: "new-password",
      hint: "At least 10 characters. All your other sign-ins end.",
    },
  ];
  return smallForm("Password", fields, "Change password", async (values) => {
    await write("POST", "/api/auth/password", values);
    return "Your password is changed. You are signed out everywhere else.";
  });
}

/** `of`: the service account that it is for; absent: oneself. */
export function tokenForm({ refresh }, shownOnce, of = null) {
  const boxes = SCOPES.map((scope) => h("input", { type: "checkbox", name: scope, checked: scope === "read" }));
  const scopes = h(
    "fieldset",
    { class: "scopes" },
    h("legend", {}, "Scopes"),
    SCOPES.map((scope, index) => h("label", { class: "flag" }, boxes[index], scope)),
  );
  const fields = [
    { name: "name", label: "Name of the token", required: true },
    {
      name: "expires_in_days",
      label: "Days until it ends",
      kind: "number",
      required: true,
      initial: "90",
      hint: "1 to 365.",
    },
  ];
  return smallForm(
    "New token",
    fields,
    "Make token",
    async ({ name, expires_in_days: days }) => {
      const chosen = SCOPES.filter((_, index) => boxes[index].checked);
      const { data } = await change("POST", "/api/tokens", {
        name: name.trim(),
        scopes: chosen,
        expires_in_days: Number(days),
        ...(of ? { user_id: of } : {}),
      });
      replace(shownOnce, secret(`This is the token ${data.name}. It is shown only now.`, "Token", data.token));
      shownOnce.scrollIntoView({ block: "nearest" });
      announce("The token was made.");
      refresh();
      return `Made the token ${data.name}.`;
    },
    scopes,
  );
}
