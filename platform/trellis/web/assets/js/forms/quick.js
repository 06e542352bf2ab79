// The quick-create dialog: a short form over the page, for pickers, lists, related tabs and gates.
// <button data-quick="address"> opens it; when it is done it raises `trellis:saved` on the button, or the page loads anew.
import { $, ask, enliven, firstControl, nodes } from "./util.js";
import { signedOut } from "../connection.js";
import { text } from "../lib/text.js";
import { toast } from "../toasts.js";

/** Open the form at `url` in a dialog. `done` gets the server's answer ({ref, location, …}). */
export async function openQuick(url, { opener = document.activeElement, done = null, refused = null, quiet = false, body = null, html = null } = {}) {
  let content = html;
  if (content === null) {
    const { ok, data, status } = await ask(url, body ? { method: "POST", body } : {});
    if (!ok && status !== 422) return refuse(status);
    content = data;
  }
  const dialog = document.createElement("dialog");
  dialog.className = "t-dialog t-quick";
  dialog.append(nodes(content));
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
      if (answer.data.toast && !quiet) toast(answer.data.toast);
      if (done) done(answer.data);
      else (opener ?? document.body).dispatchEvent(new CustomEvent("trellis:saved", { bubbles: true, detail: answer.data }));
    } else if (answer.status === 422) {
      dialog.replaceChildren(nodes(answer.data));
      name(dialog);
      enliven(dialog);
      focusFirst(dialog);
    } else if (refused && answer.data?.message) {
      refused(answer.data);
      dialog.close();
    } else refuse(answer.status, answer.answer);
  });
  return dialog;
}

function name(dialog) {
  const heading = $("h2[id]", dialog);
  if (heading) dialog.setAttribute("aria-labelledby", heading.id);
}

function focusFirst(dialog) {
  const at = $("[aria-invalid=true]:not(.t-vh)", dialog) ?? firstControl($(".t-dialog-body", dialog) ?? dialog) ?? $("[type=submit]", dialog);
  at?.focus();
}

/** Tell why nothing happened when the answer is neither a success nor a refusal with reasons. */
export function refuse(status, answer = null) {
  if (status === 401) return signedOut();
  const key = { 0: "offline", 403: "forbidden", 404: "missing", 413: "too-large", 429: "too-many" }[status] ?? "broken";
  const said = answer?.headers?.get("X-Message");
  toast(said ? decodeURIComponent(said) : text(key, { id: answer?.headers?.get("X-Request-Id") ?? "" }), { kind: "error" });
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
