// The page behind a link for an invitation or a new password. The token stands behind # and is sent in bodies only.

import { request, write } from "./api.js";
import { byId } from "./dom.js";

const token = location.hash.slice(1);
const form = byId("set-password");
let owner = null;

async function begin() {
  // Neither the address bar nor the history keeps the token.
  history.replaceState(null, "", location.pathname);
  if (!token) return end("This page is opened by a link that an admin gives you. This address has none.");
  try {
    owner = await request("POST", "/api/auth/password-link", { token });
  } catch (problem) {
    return end(problem.isFinal ? "This link is not valid any more. Ask an admin for a new one." : problem.words);
  }
  byId("whose").textContent = `For ${owner.full_name}, ${owner.email}, at ${owner.business_name}.`;
  byId("email").value = owner.email;
  for (const part of [byId("fields"), form.querySelector("button")]) part.hidden = false;
  return byId("password").focus();
}

function end(sentence) {
  byId("whose").hidden = true;
  complain(sentence);
}

async function accept(event) {
  event.preventDefault();
  const password = byId("password").value;
  const button = form.querySelector("button");
  if (!password) return complain("Enter a password.", true);
  button.disabled = true;
  try {
    const { email, tenant } = await request("POST", "/api/auth/password-link/accept", { token, password });
    await write("POST", "/api/auth/login", { email, tenant, password, cookie: true });
    location.replace("/");
  } catch (problem) {
    complain(problem.fields?.[0]?.message.replace("Value error, ", "") ?? problem.words ?? String(problem), true);
  } finally {
    button.disabled = false;
  }
  return null;
}

function complain(sentence, isOfPassword = false) {
  const place = byId("set-password-problem");
  place.textContent = sentence;
  place.hidden = false;
  if (!isOfPassword) return;
  byId("password").setAttribute("aria-invalid", "true");
  byId("password").setAttribute("aria-describedby", "password-hint set-password-problem");
  byId("password").focus();
}

form.addEventListener("submit", accept);
begin();
