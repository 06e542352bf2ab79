// Small helpers that the form and record modules share.
import { icon as draw } from "../lib/icon.js";
import { csrfToken, renewToken, send } from "../lib/http.js";
import { htmx } from "../htmx.js";
import alert from "icon:alert-circle";
import check from "icon:check";
import file from "icon:file";
import plus from "icon:plus";
import x from "icon:x";

const drawings = { alert, check, file, plus, x };

export const $ = (selector, from = document) => from.querySelector(selector);
export const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];

const mounts = [];

/** Run `mount(root)` on the page and on every fragment that htmx or we put into it. */
export function onContent(mount) {
  mounts.push(mount);
}

/** Bring new content to life: our modules, and htmx's attributes. */
export function enliven(root) {
  htmx.process(root);
  for (const mount of mounts) mount(root);
}

export function start() {
  for (const mount of mounts) mount(document.body);
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target?.matches?.(".t-more, .t-lane-more")) return; // further rows: nothing in them needs us, and there may be thousands
    const root = event.detail.elt ?? event.target;
    for (const mount of mounts) mount(root.isConnected ? root : document.body);
  });
}

export function once(element, key) {
  const name = `on${key}`;
  if (element.dataset[name]) return false;
  element.dataset[name] = "1";
  return true;
}

export function later(ms, work) {
  let timer = 0;
  const run = (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...args), ms);
  };
  run.cancel = () => clearTimeout(timer);
  return run;
}

/** Load a fragment into a place on the page. */
export function load(url, target) {
  return htmx.ajax("GET", url, { target, swap: "innerHTML" });
}

/** fetch with what every request of ours carries; never throws: a broken line is an answer with status 0. */
export async function ask(url, { method = "GET", body = null, accept = "text/html", signal } = {}) {
  const headers = { Accept: accept, "X-Requested-With": "fetch", "HX-Request": "true" };
  if (method !== "GET") headers["X-CSRFToken"] = csrfToken();
  try {
    let answer = await send(url, { method, body, headers, signal });
    const token = answer.status === 400 && answer.headers.get("X-CSRFToken");
    if (token && method !== "GET") {
      renewToken(token);
      headers["X-CSRFToken"] = token;
      if (body instanceof FormData && body.has("csrf_token")) body.set("csrf_token", token);
      answer = await send(url, { method, body, headers, signal });
    }
    const json = (answer.headers.get("content-type") ?? "").includes("json");
    // a page of sign-in in place of what was asked for: the session is over
    const away = answer.redirected && new URL(answer.url).pathname !== new URL(url, location.href).pathname && !json;
    const signedOut = answer.status === 401 || (away && /login/.test(answer.url));
    return { status: signedOut ? 401 : answer.status, ok: answer.ok && !signedOut, data: json ? await answer.json() : await answer.text(), answer };
  } catch (error) {
    return { status: 0, ok: false, data: "", aborted: error.name === "AbortError" };
  }
}

/** A fragment of HTML from our own server as nodes. */
export function nodes(html) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  return template.content;
}

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** One of the icons that these modules use. */
export const icon = (name, more = "") => draw(drawings[name], more);

/** The first control that a person types into or chooses from. */
export function firstControl(root) {
  return $$("input:not([type=hidden]), select, textarea", root).find((control) => !control.disabled && !control.readOnly && !control.matches(".t-vh, [data-native]") && control.getClientRects().length) ?? null;
}

let count = 0;
export const newId = (stem) => `${stem}-${(count += 1)}`;
