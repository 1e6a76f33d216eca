// The sign-in form. The token comes as a cookie that no script can read; this page never holds it.

import { write } from "./api.js";
import { byId, fromTemplate, replace } from "./dom.js";

// Shows the form and calls `signedIn()` once the server has let somebody in.
export function showSignIn(reason, signedIn) {
  document.title = "Sign in · Opsboard";
  replace(byId("main"), fromTemplate("sign-in-page"));
  const form = byId("sign-in");
  if (reason) {
    byId("sign-in-reason").textContent = reason;
    byId("sign-in-reason").hidden = false;
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(form, signedIn);
  });
  byId("email").focus();
}

async function submit(form, signedIn) {
  const { email, password, tenant } = Object.fromEntries(new FormData(form));
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
