// Line items: Enter in the last row adds one, grips and Alt ↑ ↓ move rows, the bin removes one (with Undo).
import Sortable from "sortablejs";
import { $, $$, enliven, firstControl, nodes, onContent, once } from "./util.js";

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
    });
    frame.addEventListener("keydown", (event) => this.key(event));
  }

  rows() {
    return $$("tr[data-line]", this.body);
  }

  add() {
    const html = $("template", this.frame).innerHTML.replaceAll("__n__", String((this.next += 1)));
    const table = nodes(`<table><tbody>${html}</tbody></table>`);
    const row = $("tr", table);
    this.body.append(row);
    enliven(row);
    this.number();
    firstControl(row)?.focus();
    this.changed();
    return row;
  }

  remove(row) {
    const why = row.nextElementSibling?.matches(".is-why") ? row.nextElementSibling : null;
    const to = row.nextElementSibling ?? row.previousElementSibling;
    why?.remove();
    row.remove();
    this.number();
    ($("[data-line-remove]", to ?? this.body) ?? $("[data-line-add]", this.frame.closest("[data-field]")))?.focus();
    this.changed();
  }

  number() {
    this.rows().forEach((row, n) => {
      for (const at of $$("[data-line-label]", row)) at.setAttribute("aria-label", at.dataset.lineLabel.replace("{n}", String(n + 1)));
    });
    this.frame.classList.toggle("is-none", this.rows().length === 0);
  }

  key(event) {
    const row = event.target.closest("tr[data-line]");
    if (!row) return;
    if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && !event.isComposing && event.target.matches("input, select") && event.target.getAttribute("aria-expanded") !== "true") {
      event.preventDefault();
      const rows = this.rows();
      const below = rows[rows.indexOf(row) + 1];
      const column = [...row.cells].indexOf(event.target.closest("td"));
      if (below) firstControl(below.cells[column])?.focus();
      else this.add();
    }
    if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      event.preventDefault();
      const rows = this.rows();
      const at = rows.indexOf(row);
      const other = rows[at + (event.key === "ArrowUp" ? -1 : 1)];
      if (!other) return;
      if (event.key === "ArrowUp") other.before(row);
      else other.after(row);
      this.number();
      event.target.focus();
      this.changed();
    }
  }

  changed() {
    this.number();
    this.frame.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

onContent((root) => {
  for (const frame of $$("[data-lines]", root)) if (once(frame, "lines")) frame.linesOf = new Lines(frame);
});
