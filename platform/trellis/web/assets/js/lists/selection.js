// Selecting rows, and the bar of what can be done with them.
import { showDialog } from "../dialogs.js";
import { enliven } from "../forms/util.js";
import { htmx } from "../htmx.js";
import { request } from "../lib/http.js";
import { number, text } from "../lib/text.js";
import { toast } from "../toasts.js";
import { again, base, list, query } from "./nav.js";
import { rows } from "./grid.js";

const chosen = new Set();
let all = false;
let last = null;

const bar = () => document.querySelector("[data-bulk]");
export const count = () => (all ? (list()?.dataset.capped === "1" ? `${list().dataset.count}+` : list()?.dataset.count) : String(chosen.size));
export const isSelecting = () => all || chosen.size > 0;

function mark(row, on) {
  if (on) row.setAttribute("aria-selected", "true");
  else row.removeAttribute("aria-selected");
  const box = row.querySelector(".is-pick .t-check");
  if (box) box.checked = on;
}

function draw() {
  for (const row of rows()) mark(row, all || chosen.has(row.dataset.id));
  const head = document.querySelector("[data-pick-all]");
  if (head) {
    head.checked = all || (chosen.size > 0 && rows().every((row) => chosen.has(row.dataset.id)));
    head.indeterminate = !head.checked && chosen.size > 0;
  }
  const box = bar();
  if (!box) return;
  box.hidden = !isSelecting();
  box.querySelector("[data-bulk-count]").textContent = text("selected", { count: count().replace(/\d+/, (digits) => number(digits)) });
  const every = box.querySelector('[data-do="bulk-all"]');
  if (every) every.hidden = all || rows().length === chosen.size && !document.querySelector("#rows > .t-more");
}

export function clear() {
  chosen.clear();
  all = false;
  last = null;
  draw();
}

/** Select or leave a row; with `through` everything between it and the last one as well. */
export function pick(row, on = !chosen.has(row.dataset.id), through = false) {
  if (!bar()) return; // nothing could be done with it
  if (all) {
    all = false;
    for (const each of rows()) chosen.add(each.dataset.id);
  }
  const every = rows();
  const from = through && last ? every.findIndex((each) => each.dataset.id === last) : -1;
  const to = every.indexOf(row);
  const range = from >= 0 ? every.slice(Math.min(from, to), Math.max(from, to) + 1) : [row];
  for (const each of range) on ? chosen.add(each.dataset.id) : chosen.delete(each.dataset.id);
  last = row.dataset.id;
  draw();
}

/** What the server is told about the selection. */
function fill(data) {
  data.set("state", query());
  if (all) data.set("all", "1");
  else data.set("ids", [...chosen].join(","));
  return data;
}

async function done(answer) {
  const said = await answer.json();
  toast(said.text, { kind: said.kind ?? "success", undo: said.undo ?? null });
  clear();
  await again();
}

async function openEdit(field = "") {
  const address = `${base()}/bulk/edit?${query()}&field=${encodeURIComponent(field)}&count=${encodeURIComponent(count())}`;
  const answer = await request(address);
  if (answer.ok) enliven(showDialog(await answer.text()));
}

/** What needs no question is done at once. */
async function post(address) {
  const answer = await request(address, { method: "POST", body: fill(new FormData()) });
  if (answer.ok) await done(answer);
  else toast(text(answer.status === 403 ? "forbidden" : "broken", { id: "" }), { kind: "error" });
}

/** The same with one row. */
async function postRow(row, address) {
  const data = new FormData();
  data.set("state", query());
  data.set("ids", row.dataset.id);
  const answer = await request(address, { method: "POST", body: data });
  if (answer.ok) await done(answer);
  else toast(text(answer.status === 403 ? "forbidden" : "broken", { id: "" }), { kind: "error" });
}

/** A dialog of its own, whose form takes the selection along. */
async function ask(address) {
  const answer = await request(`${address}?count=${encodeURIComponent(count())}`);
  if (answer.ok) enliven(showDialog(await answer.text()));
}

async function remove() {
  const answer = await request(`${base()}/bulk/deletion`, { method: "POST", body: fill(new FormData()) });
  if (!answer.ok) return toast(text(answer.status === 403 ? "forbidden" : "broken", { id: "" }), { kind: "error" });
  const dialog = showDialog(await answer.text());
  const form = dialog.querySelector("form");
  form.dataset.many = "1";
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    form.querySelector('[type="submit"]').disabled = true;
    const said = await request(form.action, { method: "POST", body: fill(new FormData()) });
    dialog.close("done");
    if (said.ok) await done(said);
    else toast(text("broken", { id: "" }), { kind: "error" });
  });
}

/** What each would become is shown first, and afterwards what each became. */
async function convert() {
  const answer = await request(`${base()}/bulk/conversion`, { method: "POST", body: fill(new FormData()) });
  if (answer.status === 422) return toast((await answer.json()).text, { kind: "error" });
  if (!answer.ok) return toast(text(answer.status === 403 ? "forbidden" : "broken", { id: "" }), { kind: "error" });
  const dialog = showDialog(await answer.text());
  const form = dialog.querySelector("form");
  form.addEventListener("change", (event) => {
    for (const one of dialog.querySelectorAll(`[data-target="${event.target.value}"]`)) one.hidden = !event.target.checked;
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    form.querySelector('[type="submit"]').disabled = true;
    const said = await request(form.action, { method: "POST", body: fill(new FormData(form)) });
    dialog.close("done");
    if (!said.ok) return toast(said.status === 422 ? (await said.json()).text : text("broken", { id: "" }), { kind: "error" });
    clear();
    const result = showDialog(await said.text());
    result.querySelector("form")?.addEventListener("submit", (undo) => {
      undo.preventDefault();
      result.close("done");
      htmx.ajax("POST", undo.target.action, { values: { toast: "list" }, target: "body", swap: "none" });
    });
    await again();
  });
}

/** Records side by side are a page of their own. */
function merge(most) {
  if (all || chosen.size < 2 || chosen.size > most) return toast(text("merge-some", { most }), { kind: "error" });
  const back = encodeURIComponent(location.pathname + location.search);
  location.assign(`${base()}/merge?ids=${[...chosen].join(",")}&back=${back}`);
}

/** Export needs a real form: the answer is a file. */
function exportChosen() {
  const form = document.createElement("form");
  form.method = "post";
  form.action = `${base()}/export.csv`;
  const data = fill(new FormData());
  data.set("csrf_token", document.querySelector('meta[name="csrf-token"]').content);
  for (const [name, value] of data) {
    const input = document.createElement("input");
    input.type = "hidden";
    input.name = name;
    input.value = value;
    form.append(input);
  }
  document.body.append(form);
  form.submit();
  form.remove();
}

document.addEventListener("click", (event) => {
  const box = event.target.closest("#rows .is-pick .t-check");
  if (box) return pick(box.closest("tr"), box.checked, event.shiftKey);
  if (event.target.closest("[data-pick-all]")) {
    const on = event.target.checked;
    all = false;
    chosen.clear();
    if (on) for (const row of rows()) chosen.add(row.dataset.id);
    return draw();
  }
  const doer = event.target.closest("[data-do]");
  if (!doer) return;
  if (doer.dataset.do === "bulk-clear") clear();
  else if (doer.dataset.do === "bulk-all") {
    all = true;
    draw();
  } else if (doer.dataset.do === "bulk-export") exportChosen();
  else if (doer.dataset.do === "bulk-post") post(doer.dataset.address);
  else if (doer.dataset.do === "row-post") postRow(doer.closest("[data-id]"), doer.dataset.address);
  else if (doer.dataset.do === "bulk-ask") ask(doer.dataset.address);
  else if (doer.dataset.do === "bulk-convert") convert();
  else if (doer.dataset.do === "bulk-merge") merge(Number(doer.dataset.most));
  else if (doer.dataset.do === "bulk") doer.dataset.part === "delete" ? remove() : openEdit(doer.dataset.field);
});
document.addEventListener("change", async (event) => {
  const select = event.target.closest("[data-bulk-field]");
  if (!select) return;
  const answer = await request(`${select.dataset.bulkField}?${query()}&field=${encodeURIComponent(select.value)}&count=${encodeURIComponent(count())}`);
  if (!answer.ok) return;
  const dialog = select.closest("dialog");
  const holder = document.createElement("template");
  holder.innerHTML = (await answer.text()).trim();
  dialog.replaceChildren(...holder.content.querySelector("dialog").childNodes);
  enliven(dialog);
  dialog.querySelector(".t-field:nth-of-type(2) :is(input:not([type=hidden]), select, textarea, button)")?.focus();
});
document.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-bulk-form]");
  if (!form) return;
  event.preventDefault();
  if (form.dataset.busy) return;
  form.dataset.busy = "1";
  form.querySelector('[type="submit"]').disabled = true;
  const answer = await request(form.action, { method: "POST", body: fill(new FormData(form)) });
  if (answer.status === 422) {
    const dialog = form.closest("dialog");
    const holder = document.createElement("template");
    holder.innerHTML = (await answer.text()).trim();
    dialog.replaceChildren(...holder.content.querySelector("dialog").childNodes);
    enliven(dialog);
    return;
  }
  form.closest("dialog").close("done");
  if (answer.ok) await done(answer);
  else toast(text(answer.status === 403 ? "forbidden" : "broken", { id: "" }), { kind: "error" });
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target?.closest?.("#list") || event.target.id === "list") isSelecting() && draw();
});
document.addEventListener("trellis:list", clear);
