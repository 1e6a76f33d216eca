// The freshness of the numbers in words and a colour: green, amber when a check failed, red when that lasts.

import { byId } from "./dom.js";
import { timeOrDate } from "./format.js";
import { announce } from "./notices.js";

const LATE = 15; // seconds without an answer: amber
const LOST = 60; // red

let asOf = null; // when something was last changed, as the server says
let checkedAt = null; // when the server last said that this still holds
let problem = null;
let nextAt = 0;
let shown = "";

export function beginFreshness() {
  setInterval(show, 1000);
}

export function counted(when) {
  asOf = when;
}

export function checked() {
  if (problem) announce("The server answers again; the numbers are fresh.");
  checkedAt = Date.now();
  problem = null;
  show();
}

// `lastGood` is when what is shown last held; null when nothing is shown yet.
export function notChecked(why, when, lastGood) {
  if (!problem) announce(`${why.message} The numbers shown are the last good ones.`);
  problem = why;
  nextAt = when;
  checkedAt = lastGood;
  show();
}

export function forget() {
  asOf = checkedAt = problem = null;
  byId("freshness").hidden = true;
  byId("main").removeAttribute("data-stale");
}

function show() {
  const place = byId("freshness");
  if (document.hidden || (checkedAt === null && problem === null)) return;
  const age = checkedAt === null ? Infinity : Math.max(0, (Date.now() - checkedAt) / 1000);
  const state = age >= LOST ? "lost" : problem || age >= LATE ? "late" : "fresh";
  place.hidden = false;
  place.dataset.state = state;
  byId("main").toggleAttribute("data-stale", state !== "fresh");
  const words = problem ? trouble() : fine(age);
  if (words !== shown) byId("freshness-words").textContent = shown = words;
}

function fine(age) {
  const checkedWords = age < 1.5 ? "checked now" : `checked ${seconds(age)} ago`;
  return asOf ? `As of ${timeOrDate(asOf)}, ${checkedWords}` : capital(checkedWords);
}

function trouble() {
  const good = checkedAt === null ? "No numbers yet." : `Last good numbers from ${timeOrDate(checkedAt)}.`;
  const left = Math.max(0, (nextAt - Date.now()) / 1000);
  return `${problem.message} ${good} ${left < 1 ? "Trying now." : `Next try in ${seconds(left)}.`}`;
}

function seconds(count) {
  return count < 100 ? `${Math.round(count)} s` : `${Math.round(count / 60)} min`;
}

function capital(words) {
  return words[0].toUpperCase() + words.slice(1);
}
