// Single keys: they act only while nothing is typed and no dialog is open.
import { showDialog } from "../dialogs.js";
import { address, request } from "../lib/http.js";
import { list } from "./nav.js";
import { currentRow, step } from "./grid.js";
import { close as closePeek, isOpen, peek } from "./peek.js";
import { clear, isSelecting, pick } from "./selection.js";

let leader = 0;
let letters = null;

async function help() {
  const answer = await request(address("keys"));
  if (answer.ok) showDialog(await answer.text());
}

/** g, then a letter: to an entity. The letters are asked for once a session. */
async function leap(letter) {
  if (letter === "h") return void (location.href = address(""));
  letters ??= await request(address("keys?letters=1")).then((answer) => (answer.ok ? answer.json() : {}));
  if (letters[letter]) location.href = letters[letter];
}

const actions = {
  "?": help,
  "/": () => document.querySelector("[data-list-search]")?.focus(),
  c: () => document.querySelector('[data-key="c"]')?.click(),
  e: () => {
    const row = currentRow();
    if (row) location.href = `${list().dataset.base}/${row.dataset.id}/edit`;
    else document.querySelector('[data-key="e"]')?.click();
  },
  j: () => moved(step(1)),
  k: () => moved(step(-1)),
  x: () => currentRow() && pick(currentRow()),
  " ": () => (isOpen() ? closePeek() : peek(currentRow())),
  Escape: () => closePeek() || (isSelecting() && clear()),
};

/** While a record is open at the side, it follows the rows. */
function moved(row) {
  if (isOpen() && row) peek(row);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.isComposing) return;
  if (document.querySelector("dialog[open]")) return;
  const typing = event.target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable], .t-edit, .t-edit-in, [popover]");
  if (typing) {
    if (event.key === "Escape" && event.target.matches("[data-list-search]")) event.target.blur();
    return;
  }
  if (Date.now() - leader < 1200) {
    leader = 0;
    event.preventDefault();
    leap(event.key.toLowerCase());
    return;
  }
  if (event.key === "g") {
    leader = Date.now();
    return;
  }
  if (event.key === " " && (!currentRow() || event.target.closest("a, button, input, summary"))) return;
  const act = actions[event.key];
  if (!act) return;
  if (event.key !== "Escape") event.preventDefault();
  act();
});
document.addEventListener("click", (event) => event.target.closest('[data-do="keys"]') && help());
document.addEventListener("trellis:keys", help);
