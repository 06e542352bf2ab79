// Small helpers that the form and record modules share.

export const $ = (selector, from = document) => from.querySelector(selector);
export const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];

const mounts = [];

/** Run `mount(root)` on the page and on every fragment that htmx or we put into it. */
export function onContent(mount) {
  mounts.push(mount);
}

/** Bring new content to life: our modules, and htmx's attributes. */
export function enliven(root) {
  window.htmx?.process(root);
  for (const mount of mounts) mount(root);
}

export function start() {
  for (const mount of mounts) mount(document.body);
  document.addEventListener("htmx:afterSwap", (event) => {
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

export function csrf() {
  return $('meta[name="csrf-token"]')?.content ?? "";
}

/** fetch with what every request of ours carries; never throws: a broken line is an answer with status 0. */
export async function ask(url, { method = "GET", body = null, accept = "text/html", signal } = {}) {
  const headers = { Accept: accept, "X-Requested-With": "fetch", "HX-Request": "true" };
  if (method !== "GET") headers["X-CSRFToken"] = csrf();
  try {
    const answer = await fetch(url, { method, body, headers, signal, credentials: "same-origin" });
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

/** An icon of the sprite, like the macro in the templates. */
export function icon(name, more = "") {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  svg.setAttribute("class", `icon ${more}`.trim());
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(ns, "use");
  const known = $("svg.icon use[href]")?.getAttribute("href") ?? "";
  use.setAttribute("href", `${known.split("#")[0]}#${name}`);
  svg.append(use);
  return svg;
}

/** Say something in a corner; FRAME's toasts listen to the same event that htmx's HX-Trigger raises. */
export function toast(message, more = {}) {
  document.body.dispatchEvent(new CustomEvent("toast", { bubbles: true, detail: { message, ...more } }));
}

/** Words of the page: <meta name="t-words" content="{json}"> or the English given here. */
export function say(key, fallback) {
  const holder = $(`[data-say-${key}]`);
  return holder?.getAttribute(`data-say-${key}`) || fallback;
}

let count = 0;
export const newId = (stem) => `${stem}-${(count += 1)}`;
