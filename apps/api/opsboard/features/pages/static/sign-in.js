// The sign-in form. The token comes as a cookie that no script can read; this page never holds it.

import { write } from "./api.js";
import { byId, fromTemplate, h, replace } from "./dom.js";

// Shows the form and calls `signedIn()` once the server has let somebody in.
export function showSignIn(reason, signedIn) {
  document.title = "Sign in · Opsboard";
  replace(byId("main"), fromTemplate("sign-in-page"));
  begin(reason, signedIn);
  byId("email").focus();
}

// The same over the page, which stays as it is behind it but cannot be read. A dialog that is closed without signing in
// would leave nothing to go on with, so it cannot be.
export function askSignInAgain(reason, email, signedIn) {
  const stay = (event) => event.key === "Escape" && event.preventDefault();
  const dialog = h("dialog", {
    class: "sign-in-again",
    "aria-labelledby": "sign-in-title",
    onkeydown: stay,
    oncancel: (event) => event.preventDefault(),
  });
  dialog.append(fromTemplate("sign-in-page"));
  document.body.append(dialog);
  begin(reason, async () => {
    await signedIn();
    dialog.close(); // gives the focus back to where it was
    dialog.remove();
  });
  byId("email").value = email;
  dialog.showModal();
  byId("password").focus();
}

function begin(reason, signedIn) {
  const form = byId("sign-in");
  if (reason) {
    byId("sign-in-reason").textContent = reason;
    byId("sign-in-reason").hidden = false;
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(form, signedIn);
  });
}

async function submit(form, signedIn) {
  const { email, password, tenant } = /** @type {Record<string, string>} */ (Object.fromEntries(new FormData(form)));
  const missing = !email.trim() ? byId("email") : !password ? byId("password") : null;
  if (missing) {
    complain(missing.id === "email" ? "Write your e-mail address." : "Write your password.", missing);
    return;
  }
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    await write("POST", "/api/auth/login", { email, password, cookie: true, ...(tenant.trim() ? { tenant } : {}) });
    await signedIn();
  } catch (problem) {
    if (problem.code === "conflict") byId("tenant-field").hidden = false;
    complain(problem.words ?? String(problem), problem.code === "conflict" ? byId("tenant") : byId("password"));
  } finally {
    button.disabled = false;
  }
}

function complain(words, field) {
  const place = byId("sign-in-problem");
  if (!place) return; // signed in meanwhile
  place.textContent = words;
  place.hidden = false;
  for (const input of place.form?.elements ?? []) input.removeAttribute("aria-invalid");
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-errormessage", "sign-in-problem");
  field.focus();
}
