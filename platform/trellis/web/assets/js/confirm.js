// hx-confirm and data-confirm ask in a dialog of ours, not in the browser's.
import { openDialog } from "./dialogs.js";
import { text } from "./lib/text.js";

/** Asks; answers true or false. A question that begins with "!" is about something that cannot be taken back. */
export function ask(question, { yes = text("yes"), danger = question.startsWith("!") } = {}) {
  const dialog = document.getElementById("t-confirm");
  const [title, ...rest] = question.replace(/^!/, "").split("\n");
  dialog.querySelector("h2").textContent = title;
  dialog.querySelector("p").textContent = rest.join(" ");
  const button = dialog.querySelector('[value="yes"]');
  button.textContent = yes;
  button.className = `btn ${danger ? "btn-danger" : "btn-primary"}`;
  dialog.returnValue = "";
  openDialog(dialog);
  return new Promise((answer) => dialog.addEventListener("close", () => answer(dialog.returnValue === "yes"), { once: true }));
}

document.addEventListener("htmx:confirm", (event) => {
  if (!event.detail.question) return;
  event.preventDefault();
  ask(event.detail.question, { yes: event.detail.elt.dataset.yes || text("yes") }).then((sure) => sure && event.detail.issueRequest(true));
});
document.addEventListener("submit", (event) => {
  const form = event.target;
  const { confirm, yes } = event.submitter?.dataset.confirm ? event.submitter.dataset : form.dataset; // a button's own question comes first
  if (!confirm || form.dataset.sure) return;
  event.preventDefault();
  ask(confirm, { yes: yes || text("yes") }).then((sure) => {
    if (!sure) return;
    form.dataset.sure = "1";
    form.requestSubmit(event.submitter ?? undefined);
  });
});
