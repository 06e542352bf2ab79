// Shows a password while it is being typed; copies what is shown once.
import { toast } from "./toasts.js";
import { text } from "./lib/text.js";

document.addEventListener("click", (event) => {
  const eye = event.target.closest('[data-do="reveal"]');
  if (eye) {
    const input = document.getElementById(eye.getAttribute("aria-controls"));
    const shown = input.type === "text";
    input.type = shown ? "password" : "text";
    eye.setAttribute("aria-pressed", String(!shown));
    input.focus();
  }
  const copy = event.target.closest('[data-do="copy"]');
  if (copy) navigator.clipboard.writeText(copied(document.getElementById(copy.getAttribute("aria-controls")))).then(() => toast(text("copied")));
});

/** What a control holds, or an element says. */
function copied(element) {
  return element.value ?? element.textContent;
}
