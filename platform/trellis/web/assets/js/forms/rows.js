// Fields with several rows (phones, e-mails, a list of texts): add and remove a row.
import { $, $$, enliven, firstControl, nodes, onContent, once } from "./util.js";

onContent((root) => {
  for (const box of $$("[data-rows]", root)) {
    if (!once(box, "rows")) continue;
    let next = $$("[data-row]", box).length;
    box.addEventListener("click", (event) => {
      if (event.target.closest("[data-row-add]")) {
        const fresh = nodes($("template", box).innerHTML.replaceAll("__n__", String((next += 1)))).firstElementChild;
        $("[data-row-list]", box).append(fresh);
        enliven(fresh);
        firstControl(fresh)?.focus();
        box.dispatchEvent(new Event("change", { bubbles: true }));
      }
      const remove = event.target.closest("[data-row-remove]");
      if (remove) {
        remove.closest("[data-row]").remove();
        $("[data-row-add]", box)?.focus();
        box.dispatchEvent(new Event("change", { bubbles: true }));
      }
    });
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.ctrlKey || event.metaKey || !event.target.matches("[data-row-list] input[type=text]") || !("listRows" in box.dataset)) return;
      event.preventDefault();
      $("[data-row-add]", box)?.click();
    });
  }
});

document.addEventListener("input", (event) => {
  const pick = event.target.closest?.("[data-color-pick]");
  if (!pick) return;
  const control = document.getElementById(pick.dataset.colorPick);
  control.value = pick.value;
  control.dispatchEvent(new Event("change", { bubbles: true }));
});
