// The chooser of columns, and menus that load when they are opened.
import Sortable from "sortablejs";
import { place } from "../menus.js";
import { go, withParams } from "./nav.js";

document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-columns]");
  if (!form) return;
  event.preventDefault();
  const paths = [...form.querySelectorAll("input.t-check:checked")].map((box) => box.value);
  form.closest("[popover]").hidePopover();
  go(withParams({ cols: paths.join(",") || null }));
});
document.addEventListener("click", (event) => {
  const doer = event.target.closest("[data-do]");
  if (doer?.dataset.do === "column-up") {
    const item = doer.closest("li");
    item.previousElementSibling?.before(item);
    doer.focus();
  } else if (doer?.dataset.do === "columns-reset") {
    doer.closest("[popover]").hidePopover();
    go(withParams({ cols: null }));
  }
});
// a menu that a menu opens takes its place: two sheets one over the other cannot be read on a phone
document.addEventListener("click", (event) => {
  const item = event.target.closest(".t-menu[popover] [popovertarget]");
  const next = item && document.getElementById(item.getAttribute("popovertarget"));
  if (!next) return;
  event.preventDefault();
  item.closest("[popover]").hidePopover();
  next.showPopover();
});
document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-columns] [data-find]")) return;
  const sought = event.target.value.trim().toLowerCase();
  for (const item of event.target.form.querySelectorAll("[data-find-text]")) item.hidden = !item.dataset.findText.toLowerCase().includes(sought);
});
document.addEventListener("htmx:afterSettle", (event) => {
  const shown = event.detail.target?.querySelector?.("[data-columns-shown]");
  if (shown && !Sortable.get(shown)) new Sortable(shown, { handle: ".t-drag", animation: 120, forceFallback: true });
  const box = event.detail.target?.closest?.("[popover]:popover-open");
  const button = box && [...document.querySelectorAll(`[popovertarget="${CSS.escape(box.id)}"]`)].find((each) => each.getClientRects().length);
  if (button) place(box, button);
});
