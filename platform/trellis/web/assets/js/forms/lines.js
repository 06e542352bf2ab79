// Line items: Enter in the last row adds one, arrows go from row to row, grips and Alt ↑ ↓ move rows, Ctrl D takes the cell
// above, a row is duplicated or removed, and rows of a spreadsheet are pasted where the cursor stands.
import Sortable from "sortablejs";
import { $, $$, ask, enliven, firstControl, icon, make, nodes, onContent, once } from "./util.js";
import { fill, touch } from "./form.js";
import { refuse } from "./quick.js";
import { toast } from "../toasts.js";

class Lines {
  constructor(frame) {
    this.frame = frame;
    this.body = $("tbody", frame);
    this.next = this.rows().length;
    Sortable.create(this.body, {
      handle: "[data-grip]", draggable: "tr[data-line]", animation: 120, onEnd: () => this.changed(),
    });
    frame.closest("[data-field]").addEventListener("click", (event) => {
      if (event.target.closest("[data-line-add]")) this.add();
      const remove = event.target.closest("[data-line-remove]");
      if (remove) this.remove(remove.closest("tr"));
      const copy = event.target.closest("[data-line-copy]");
      if (copy) this.duplicate(copy.closest("tr"));
    });
    frame.addEventListener("keydown", (event) => this.key(event));
    frame.addEventListener("paste", (event) => this.paste(event));
    for (const kind of ["input", "change"]) frame.addEventListener(kind, (event) => this.mended(event.target.closest("td.is-wrong")));
  }

  rows() {
    return $$("tr[data-line]", this.body);
  }

  /** A new row, at the end or after another. */
  make(after = null) {
    const html = $("template", this.frame).innerHTML.replaceAll("__n__", String((this.next += 1)));
    const row = $("tr", nodes(`<table><tbody>${html}</tbody></table>`));
    if (after) (why(after) ?? after).after(row);
    else this.body.append(row);
    enliven(row);
    return row;
  }

  add() {
    const row = this.make();
    this.number();
    firstControl(row)?.focus();
    this.changed();
    return row;
  }

  duplicate(row) {
    const fresh = this.make(row);
    for (const cell of row.cells) copyCell(cell, this.cell(fresh, cell));
    this.number();
    firstControl(fresh)?.focus();
    this.changed();
  }

  remove(row) {
    why(row)?.remove();
    const to = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    this.number();
    ($("[data-line-remove]", to ?? this.body) ?? $("[data-line-add]", this.frame.closest("[data-field]")))?.focus();
    this.changed();
  }

  /** The cell of another row in the same column. */
  cell(row, like) {
    return row.cells[[...like.parentElement.cells].indexOf(like)];
  }

  number() {
    this.rows().forEach((row, n) => {
      for (const at of $$("[data-line-label]", row)) at.setAttribute("aria-label", at.dataset.lineLabel.replace("{n}", String(n + 1)));
    });
    this.frame.classList.toggle("is-none", this.rows().length === 0);
  }

  key(event) {
    const row = event.target.closest("tr[data-line]");
    if (!row || event.isComposing) return;
    const rows = this.rows();
    const at = rows.indexOf(row);
    const cell = event.target.closest("td");
    const control = event.target.matches("input, select");
    const open = event.target.getAttribute("aria-expanded") === "true";
    const vertical = event.key === "ArrowUp" || event.key === "ArrowDown";
    if (event.key === "Enter" && control && !event.ctrlKey && !event.metaKey && !open) {
      event.preventDefault();
      const below = rows[at + (event.shiftKey ? -1 : 1)];
      if (below) this.enter(this.cell(below, cell));
      else if (!event.shiftKey) this.add();
    } else if (vertical && event.altKey) {
      event.preventDefault();
      this.move(row, rows[at + (event.key === "ArrowUp" ? -1 : 1)], event.key === "ArrowUp", event.target);
    } else if (vertical && event.target.matches("input[type=text]:not([role=combobox])") && !event.shiftKey && !event.ctrlKey && !event.metaKey) {
      const other = rows[at + (event.key === "ArrowUp" ? -1 : 1)];
      if (!other) return;
      event.preventDefault();
      this.enter(this.cell(other, cell));
    } else if (event.key.toLowerCase() === "d" && (event.ctrlKey || event.metaKey) && !event.altKey && control) {
      event.preventDefault();
      if (event.shiftKey) this.duplicate(row);
      else if (at > 0) {
        copyCell(this.cell(rows[at - 1], cell), cell);
        touch(cell);
        this.changed();
      }
    }
  }

  enter(cell) {
    const control = firstControl(cell);
    control?.focus();
    if (control?.matches("input[type=text]")) control.select();
  }

  move(row, other, up, focus) {
    if (!other) return;
    const told = why(row);
    if (up) other.before(row);
    else (why(other) ?? other).after(row);
    if (told) row.after(told);
    this.number();
    focus.focus();
    this.changed();
  }

  // ── from a spreadsheet ──────────────────────────────────────────────────────────────────────────────────────

  async paste(event) {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    const cell = event.target.closest("td[data-field]");
    if (!cell || !this.frame.dataset.paste || !/[\t\n]/.test(text.replace(/[\r\n]+$/, ""))) return;
    event.preventDefault();
    const columns = this.frame.dataset.columns.split(" ");
    const from = columns.indexOf(cell.dataset.field.split(".").pop());
    const body = new FormData();
    body.set("text", text);
    for (const name of columns.slice(from)) body.append("column", name);
    for (const name of columns) body.append("all", name);
    const currency = this.frame.closest("form")?.elements.currency;
    if (currency?.value) body.set("currency", currency.value);
    const { ok, status, answer, data } = await ask(this.frame.dataset.paste, { method: "POST", body, accept: "application/json" });
    if (!ok) return refuse(status, answer);
    if (data.message) return toast(data.message, { kind: "danger" });
    let row = cell.closest("tr");
    for (const values of data.rows) {
      row ??= this.make();
      this.put(row, values);
      row = this.rows()[this.rows().indexOf(row) + 1] ?? null;
    }
    this.number();
    this.changed();
  }

  /** Put what was understood into a row's cells, and say what was not. */
  put(row, values) {
    const wrong = [];
    for (const [name, { fill: parts, error }] of Object.entries(values)) {
      const cell = [...row.cells].find((one) => one.dataset.field?.endsWith(`.${name}`));
      if (!cell || !parts || cell.querySelector("[data-computed]")) continue;
      fill(cell, parts);
      touch(cell);
      cell.classList.toggle("is-wrong", Boolean(error));
      if (error) wrong.push([cell.dataset.field, `${cell.dataset.label}: ${error}`]);
    }
    why(row)?.remove();
    row.classList.toggle("is-open", wrong.length > 0);
    if (!wrong.length) return;
    const told = wrong.map(([name, text]) => make("p", { class: "t-wrong", "data-about": name }, icon("alert"), make("span", {}, text)));
    const all = make("td", { colspan: String(row.cells.length) }, ...told);
    row.after(make("tr", { class: "is-why", "data-pasted": "1" }, all));
  }

  /** A cell that was pasted wrong is being put right: what was said about it goes. */
  mended(cell) {
    const told = cell && why(cell.parentElement);
    if (!told?.dataset.pasted) return;
    cell.classList.remove("is-wrong");
    $(`[data-about="${CSS.escape(cell.dataset.field)}"]`, told)?.remove();
    if ($("p", told)) return;
    told.remove();
    cell.parentElement.classList.remove("is-open");
  }

  changed() {
    this.number();
    this.frame.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

/** The row below that says what is wrong in this one. */
function why(row) {
  return row.nextElementSibling?.matches(".is-why") ? row.nextElementSibling : null;
}

/** What stands in a cell, into another one of the same column. */
function copyCell(from, to) {
  if (!from?.dataset.field || !to?.dataset.field) return;
  const there = $$("input, select, textarea", to);
  $$("input, select, textarea", from).forEach((control) => {
    if (!control.name?.startsWith(from.dataset.field)) return;
    const name = to.dataset.field + control.name.slice(from.dataset.field.length);
    const same = there.find((one) => one.name === name && (one.type !== "radio" || one.value === control.value));
    if (!same) return;
    if (control.type === "checkbox" || control.type === "radio") same.checked = control.checked;
    else if (control.tagName === "SELECT") {
      for (const option of control.selectedOptions) {
        if (![...same.options].some((known) => known.value === option.value)) same.add(option.cloneNode(true));
      }
      for (const option of same.options) option.selected = [...control.selectedOptions].some((one) => one.value === option.value);
      same.dispatchEvent(new Event("picker:draw"));
    } else same.value = control.value;
  });
  if (from.dataset.touched === "1") touch(to);
}

onContent((root) => {
  for (const frame of $$("[data-lines]", root)) if (once(frame, "lines")) frame.linesOf = new Lines(frame);
});
