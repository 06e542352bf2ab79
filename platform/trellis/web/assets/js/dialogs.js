// Dialogs: <dialog class="t-dialog">, opened by [data-dialog="id"], or brought by htmx into #dialog-slot.
import { htmx } from "./htmx.js";

const slot = () => document.getElementById("dialog-slot");

/** Shows a dialog that is in the page, and gives the focus back when it closes. */
export function openDialog(dialog) {
  const before = document.activeElement;
  if (!dialog.open) dialog.showModal();
  begin(dialog);
  dialog.addEventListener(
    "close",
    () => {
      if (before?.isConnected) before.focus({ preventScroll: true });
      if (dialog.parentElement === slot()) dialog.remove();
    },
    { once: true },
  );
}

/** One types, or presses Enter, at once: the browser would have chosen the cross in the corner. */
function begin(dialog) {
  const at = document.activeElement;
  if (dialog.querySelector("[autofocus]") || (at && dialog.contains(at) && at !== dialog && !at.matches('[data-do="close"]'))) return;
  const typing = 'input:not([type=hidden], [type=search], [type=file], .t-vh), textarea, select:not(.t-vh)';
  const seen = (one) => !one.disabled && !one.readOnly && one.getClientRects().length;
  const first = matchMedia("(pointer: fine)").matches && [...dialog.querySelectorAll(typing)].find(seen);
  const next = first || [...dialog.querySelectorAll(".btn-primary")].find(seen);
  next?.focus({ preventScroll: true });
}

/** Puts HTML that holds a <dialog> into the page and shows it. */
export function showDialog(html) {
  slot().innerHTML = html;
  const dialog = slot().querySelector("dialog");
  htmx.process(slot());
  if (dialog) openDialog(dialog);
  return dialog;
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener) {
    const dialog = document.getElementById(opener.dataset.dialog);
    if (dialog) openDialog(dialog);
    return;
  }
  if (event.target.closest('[data-do="close"]')) event.target.closest("dialog")?.close("cancel");
  // a press on the ground behind the dialog
  else if (event.target.matches("dialog.t-dialog[open]:not([data-keep])")) event.target.close("cancel");
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target !== slot()) return;
  const dialog = slot().querySelector("dialog:not([open])");
  if (dialog) openDialog(dialog);
});
document.addEventListener("close-dialog", () => document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close("done")));
