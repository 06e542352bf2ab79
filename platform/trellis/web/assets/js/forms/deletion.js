// Deleting asks first, when more than the record itself is touched: what goes along, what holds it.
import { ask } from "./util.js";
import { refuse } from "./quick.js";
import { showDialog } from "../dialogs.js";
import { toast } from "../toasts.js";

/** Post the deletion, then go where the answer says. */
async function remove(url) {
  const answer = await ask(url, { method: "POST", body: new FormData(), accept: "application/json, text/html" });
  if (answer.ok && answer.data?.location) location.href = answer.data.location;
  else if (answer.data?.message) toast(answer.data.message, { kind: "error" });
  else refuse(answer.status, answer.answer);
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-delete]");
  if (!button) return;
  event.preventDefault();
  if (button.dataset.busy) return;
  button.dataset.busy = "1";
  const answer = await ask(button.dataset.ask);
  if (answer.status === 204) await remove(button.dataset.delete);
  else if (answer.ok) showDialog(answer.data);
  else refuse(answer.status, answer.answer);
  delete button.dataset.busy;
});

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-delete-form]");
  if (!form || form.dataset.many) return;
  event.preventDefault();
  if (form.dataset.busy) return;
  form.dataset.busy = "1";
  form.querySelector('[type="submit"]').disabled = true;
  await remove(form.action);
  form.closest("dialog")?.close("done");
});
