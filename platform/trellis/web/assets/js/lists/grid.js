// The grid: rows and cells by keyboard, a cell edited in place, a row drawn anew after that.
import { htmx } from "../htmx.js";
import { request } from "../lib/http.js";
import { edit } from "../forms/inline.js";
import { text } from "../lib/text.js";
import { toast } from "../toasts.js";
import { base, list, query } from "./nav.js";

export const grid = () => document.querySelector("#list .t-grid");
export const rows = () => [...document.querySelectorAll("#rows > tr[data-id]:not([hidden])")];

/** The row that the keys act on: with the focus, else the one marked. */
export function currentRow() {
  return document.activeElement?.closest?.("#rows > tr[data-id]") ?? document.querySelector("#rows > tr.is-at");
}

/** Put the focus on a row, loading more when the end comes near. */
export function focusRow(row) {
  if (!row) return;
  for (const other of document.querySelectorAll("#rows > tr.is-at")) other.classList.remove("is-at");
  row.classList.add("is-at");
  row.focus({ preventScroll: true });
  const frame = row.closest("[data-grid-frame]");
  const top = frame.querySelector("thead").offsetHeight;
  const bottom = frame.querySelector("tfoot").offsetHeight;
  const at = row.getBoundingClientRect();
  const within = frame.getBoundingClientRect();
  if (at.top < within.top + top) frame.scrollTop -= within.top + top - at.top;
  else if (at.bottom > within.bottom - bottom) frame.scrollTop += at.bottom - within.bottom + bottom;
}

/** Step to the next or previous row. */
export function step(by) {
  const all = rows();
  const at = all.indexOf(currentRow());
  const to = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.max(0, Math.min(all.length - 1, at + by));
  focusRow(all[to]);
  return all[to];
}

const cellsOf = (row) => [...row.children].filter((cell) => !cell.matches(".is-pick, .k-fill"));

function focusCell(cell) {
  if (!cell) return;
  cell.tabIndex = -1;
  cell.focus();
  cell.scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** Open the editor of a cell. */
export function editCell(cell) {
  const row = cell.closest("tr");
  cell.dataset.edit = `${base()}/${row.dataset.id}/field/${cell.dataset.f}`;
  cell.tabIndex = -1;
  cell.dataset.opening = ""; // a row that is drawn anew meanwhile would take the editor away
  return Promise.resolve(edit(cell)).finally(() => delete cell.dataset.opening);
}

/** Draw a row anew: what was saved may have changed more than the cell. */
export async function redraw(row) {
  const answer = await request(`${base()}/rows?${query()}&only=${row.dataset.id}`);
  if (!answer.ok || !row.isConnected || row.querySelector(".t-edit, [data-opening]")) return;
  const holder = document.createElement("template");
  holder.innerHTML = (await answer.text()).trim();
  const fresh = holder.content.firstElementChild;
  if (!fresh) return;
  const column = [...row.children].indexOf(document.activeElement?.closest("td"));
  const focused = row.contains(document.activeElement);
  fresh.className = row.className;
  if (row.getAttribute("aria-selected")) {
    fresh.setAttribute("aria-selected", "true");
    fresh.querySelector(".t-check").checked = true;
  }
  row.replaceWith(fresh);
  if (focused) column > 0 ? focusCell(fresh.children[column]) : fresh.focus();
  totals();
}

/** Count the footer's totals anew. */
export function totals() {
  const foot = document.querySelector("#list tfoot[hx-get]");
  if (foot) htmx.ajax("GET", foot.getAttribute("hx-get"), { target: foot, swap: "innerHTML" });
}

// a group's row shows and hides what stands under it
function fold(button) {
  const open = button.getAttribute("aria-expanded") !== "true";
  button.setAttribute("aria-expanded", String(open));
  for (let row = button.closest("tr").nextElementSibling; row && !row.matches(".t-band"); row = row.nextElementSibling) row.hidden = !open;
}
document.addEventListener("click", (event) => {
  const button = event.target.closest('.t-band')?.querySelector('[data-do="band"]');
  if (button && !event.target.closest("a, input")) fold(button);
});

document.addEventListener("trellis:cell", (event) => {
  const row = event.target.closest("#rows > tr[data-id]");
  if (row) redraw(row);
});
document.addEventListener("dblclick", (event) => {
  const cell = event.target.closest("#rows td[data-f]");
  if (event.target.closest("input, button, .t-edit")) return;
  if (!cell) {
    const locked = event.target.closest("#rows > tr[data-id] > td:not(.is-pick, .k-fill)");
    if (locked && !event.target.closest("a")) toast(text("locked"), { kind: "info" });
    return;
  }
  getSelection()?.removeAllRanges();
  editCell(cell);
});
document.addEventListener("click", (event) => {
  const row = event.target.closest("#rows > tr[data-id]");
  if (!row || event.target.closest("a, button, input, label, .t-edit")) return;
  // on a phone a row is a card, and a card opens
  if (matchMedia("(max-width: 767px)").matches) return void row.querySelector(".is-title a")?.click();
  focusRow(row);
  const cell = event.target.closest("td");
  if (cell?.dataset.f) focusCell(cell);
});
document.addEventListener("keydown", (event) => {
  const row = event.target.closest?.("#rows > tr[data-id]");
  if (!row || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, .t-edit")) return;
  const cell = event.target.closest("td");
  const cells = cellsOf(row);
  const at = cells.indexOf(cell);
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const next = step(event.key === "ArrowDown" ? 1 : -1);
    if (at >= 0 && event.target === cell && next) focusCell(cellsOf(next)[at]);
  } else if (event.key === "ArrowRight") {
    event.preventDefault();
    focusCell(cells[Math.min(cells.length - 1, at + 1)]);
  } else if (event.key === "ArrowLeft") {
    event.preventDefault();
    if (at > 0) focusCell(cells[at - 1]);
    else row.focus();
  } else if (event.key === "Enter" && !event.target.matches("a, button")) {
    event.preventDefault();
    if (event.target === cell && cell.dataset.f) editCell(cell);
    else row.querySelector(".is-title a")?.click();
  } else if (event.key === "F2" && cell?.dataset.f) {
    event.preventDefault();
    editCell(cell);
  }
});
document.addEventListener(
  "scroll",
  (event) => {
    if (event.target.matches?.("[data-grid-frame]")) grid()?.classList.toggle("is-scrolled", Math.abs(event.target.scrollLeft) > 0);
  },
  { capture: true, passive: true },
);

// the next rows are asked for before the reader gets to the end of these
const ahead = new IntersectionObserver(
  (seen) => {
    for (const each of seen) {
      if (!each.isIntersecting) continue;
      ahead.unobserve(each.target);
      htmx.trigger(each.target, "more");
    }
  },
  { rootMargin: "800px 0px", scrollMargin: "800px 0px" },
);
function watch() {
  for (const more of document.querySelectorAll(".t-more, .t-lane-more")) ahead.observe(more);
}
document.addEventListener("htmx:afterSettle", watch);
document.addEventListener("trellis:list", watch);
watch();
export { list };
