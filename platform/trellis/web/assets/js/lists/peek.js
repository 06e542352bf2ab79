// A record in the side panel, without leaving the list.
import { request } from "../lib/http.js";
import { enliven } from "../forms/util.js";
import { base, list } from "./nav.js";
import { currentRow, focusRow, rows, step } from "./grid.js";

const panel = () => document.getElementById("peek");
export const isOpen = () => !!panel() && !panel().hidden;

/** Show the record of a row or a card. */
export async function peek(holder) {
  const box = panel();
  if (!box || !holder) return;
  const id = holder.dataset.id;
  box.dataset.id = id;
  if (holder.matches("tr")) focusRow(holder);
  const answer = await request(`${base()}/${id}/peek`);
  if (!answer.ok || box.dataset.id !== id) return;
  box.innerHTML = await answer.text();
  box.hidden = false;
  enliven(box);
  const at = rows().indexOf(holder);
  const place = box.querySelector("[data-peek-at]");
  if (at >= 0 && place) place.textContent = `${at + 1} / ${list().dataset.count}${list().dataset.capped === "1" ? "+" : ""}`;
}

export function close() {
  const box = panel();
  if (!isOpen()) return false;
  const inside = box.contains(document.activeElement);
  box.hidden = true;
  box.innerHTML = "";
  if (inside) currentRow()?.focus();
  return true;
}

document.addEventListener("click", (event) => {
  const doer = event.target.closest("[data-do]");
  if (!doer) return;
  if (doer.dataset.do === "peek") peek(doer.closest("[data-id]"));
  else if (doer.dataset.do === "peek-close") close();
  else if (doer.dataset.do === "peek-back") peek(step(-1));
  else if (doer.dataset.do === "peek-on") peek(step(1));
});
