// The quick-create dialog: a short form over the page, for pickers, lists, related tabs and gates.
// <button data-quick="address"> opens it; when it is done it raises `trellis:saved` on the button, or the page loads anew.
import { $, ask, enliven, nodes, toast } from "./util.js";

/** Open the form at `url` in a dialog. `done` gets the server's answer ({ref, location, …}). */
export async function openQuick(url, { opener = document.activeElement, done = null, body = null, html = null } = {}) {
  let text = html;
  if (text === null) {
    const { ok, data, status } = await ask(url, body ? { method: "POST", body } : {});
    if (!ok && status !== 422) return refuse(status);
    text = data;
  }
  const dialog = document.createElement("dialog");
  dialog.className = "t-dialog t-quick";
  dialog.append(nodes(text));
  document.body.append(dialog);
  name(dialog);
  dialog.showModal();
  enliven(dialog);
  focusFirst(dialog);
  dialog.addEventListener("close", () => { dialog.remove(); opener?.focus?.(); });
  dialog.addEventListener("click", (event) => {
    if (event.target.closest("[data-close]")) dialog.close();
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      event.stopPropagation();
      $("form", dialog)?.requestSubmit();
    }
  });
  dialog.addEventListener("submit", async (event) => {
    event.preventDefault();
    event.stopPropagation();
    const form = event.target;
    if (form.dataset.busy) return;
    form.dataset.busy = "1";
    const answer = await ask(form.action, { method: "POST", body: new FormData(form, event.submitter), accept: "application/json, text/html" });
    delete form.dataset.busy;
    if (answer.ok) {
      dialog.close();
      if (answer.data.toast) toast(answer.data.toast);
      if (done) done(answer.data);
      else (opener ?? document.body).dispatchEvent(new CustomEvent("trellis:saved", { bubbles: true, detail: answer.data }));
    } else if (answer.status === 422) {
      dialog.replaceChildren(nodes(answer.data));
      name(dialog);
      enliven(dialog);
      focusFirst(dialog);
    } else refuse(answer.status);
  });
  return dialog;
}

function name(dialog) {
  const heading = $("h2[id]", dialog);
  if (heading) dialog.setAttribute("aria-labelledby", heading.id);
}

function focusFirst(dialog) {
  const at = $("[aria-invalid=true], [autofocus], .t-dialog-body :is(input, select, textarea, button):not([type=hidden], [tabindex='-1'], [disabled], [readonly], .t-vh)", dialog);
  at?.focus();
}

/** Tell why nothing happened when the answer is neither a success nor a refusal with reasons. */
export function refuse(status) {
  const words = document.body.dataset;
  if (status === 401) toast(words.saySignedOut ?? "You have been signed out. Sign in again in another tab, then repeat; what you typed is kept here.", { kind: "bad" });
  else if (status === 403) toast(words.sayForbidden ?? "You may not do this.", { kind: "bad" });
  else if (status === 0) toast(words.sayOffline ?? "No connection. What you typed is kept here.", { kind: "bad" });
  else toast(words.sayFailed ?? "That did not work. What you typed is kept here.", { kind: "bad" });
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-quick]");
  if (!opener || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  openQuick(opener.dataset.quick, { opener });
});

document.addEventListener("trellis:saved", (event) => {
  const at = event.target.closest?.("[data-saved]");
  if (at?.dataset.saved === "open" && event.detail.location) location.href = event.detail.location;
  else if (at?.dataset.saved === "reload") location.reload();
});
