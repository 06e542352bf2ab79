// Search and commands: Ctrl/⌘ K.
import magnifier from "icon:search";
import { address, request } from "../lib/http.js";
import { icon } from "../lib/icon.js";
import { text } from "../lib/text.js";
import { base } from "./nav.js";

// what was looked at last: addresses only, without a title; the server says what they are to whoever asks
const kept = `t-recent:${address("")}`;
const recent = () => JSON.parse(localStorage.getItem(kept) ?? "[]");
const here = /\/e\/(\w+\/[0-9a-f-]{36})\/?$/.exec(location.pathname)?.[1];
if (here) localStorage.setItem(kept, JSON.stringify([here, ...recent().filter((each) => each !== here)].slice(0, 6)));

if (here) request(address("recent"), { method: "POST", body: new URLSearchParams({ place: here }) }).catch(() => {});

let dialog = null;
let timer = 0;
let asked = 0;

function make() {
  const box = document.createElement("dialog");
  box.className = "t-dialog t-palette";
  box.setAttribute("aria-label", text("palette"));
  const key = (name) => Object.assign(document.createElement("kbd"), { className: "t-kbd", textContent: name });
  const top = document.createElement("div");
  top.className = "t-palette-in";
  const input = document.createElement("input");
  for (const [name, value] of Object.entries({
    type: "text", "aria-label": text("palette-field"), role: "combobox", "aria-expanded": "true", "aria-controls": "palette-list",
    autocomplete: "off", spellcheck: "false", placeholder: text("palette-field"), maxlength: "200",
  })) input.setAttribute(name, value);
  top.append(icon(magnifier, "icon-lg"), input, key("Esc"));
  const results = document.createElement("div");
  results.className = "t-palette-list";
  for (const [name, value] of Object.entries({ id: "palette-list", role: "listbox", "aria-label": text("results"), tabindex: "0" })) results.setAttribute(name, value);
  const foot = document.createElement("div");
  foot.className = "t-palette-foot";
  for (const [names, words] of [[["↑", "↓"], text("choose")], [["↵"], text("open")], [["?"], text("all-keys")]]) {
    const one = document.createElement("span");
    one.append(...names.map(key), words);
    foot.append(one);
  }
  box.append(top, results, foot);
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(load, 120);
  });
  box.addEventListener("keydown", (event) => {
    const to = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (to) {
      event.preventDefault();
      move(to);
    } else if (event.key === "Enter") {
      event.preventDefault();
      open(at(), event.ctrlKey || event.metaKey);
    } else if (event.key === "?" && !input.value) {
      event.preventDefault();
      box.close();
      document.dispatchEvent(new CustomEvent("trellis:keys"));
    }
  });
  results.addEventListener("click", (event) => open(event.target.closest("[data-href]"), event.ctrlKey || event.metaKey));
  results.addEventListener("pointermove", (event) => mark(event.target.closest("[data-href]")));
  document.body.append(box);
  return box;
}

const items = () => [...dialog.querySelectorAll("[data-href]")];
const at = () => dialog.querySelector("[data-href].is-at");

function mark(item) {
  if (!item) return;
  for (const each of items()) {
    each.classList.toggle("is-at", each === item);
    each.setAttribute("aria-selected", String(each === item));
  }
  dialog.querySelector("input").setAttribute("aria-activedescendant", item.id);
}

function move(by) {
  const all = items();
  if (!all.length) return;
  const next = all[(all.indexOf(at()) + by + all.length) % all.length];
  mark(next);
  next.scrollIntoView({ block: "nearest" });
}

function open(item, apart = false) {
  if (!item) return;
  dialog.close();
  if (apart) window.open(item.dataset.href, "_blank", "noopener");
  else location.href = item.dataset.href;
}

async function load() {
  const number = (asked += 1);
  const q = dialog.querySelector("input").value.trim();
  const here = base().split("/e/")[1] ?? "";
  const answer = await request(address(`search?${new URLSearchParams({ q, here, ...(q ? {} : { recent: recent().join(",") }) })}`)).catch(() => null);
  if (!answer?.ok || number !== asked) return;
  dialog.querySelector(".t-palette-list").innerHTML = await answer.text();
  mark(items()[0]);
}

export function openPalette() {
  dialog ??= make();
  if (dialog.open) return;
  const before = document.activeElement;
  dialog.showModal();
  const input = dialog.querySelector("input");
  input.focus();
  input.select();
  dialog.addEventListener("close", () => before?.isConnected && before.focus({ preventScroll: true }), { once: true });
  load();
}

document.addEventListener("click", (event) => event.target.closest("[data-palette]") && openPalette());
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette();
  }
});
