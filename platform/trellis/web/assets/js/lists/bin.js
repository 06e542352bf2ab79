// The recycle bin: choosing several records, and the bar of what can be done with them.
import { text } from "../lib/text.js";

const boxes = () => [...document.querySelectorAll("[data-bin-pick]")];

function draw() {
  const bar = document.querySelector("[data-bin-bar]");
  if (!bar) return;
  const chosen = boxes().filter((box) => box.checked);
  const head = document.querySelector("[data-bin-all]");
  head.checked = chosen.length > 0 && chosen.length === boxes().length;
  head.indeterminate = chosen.length > 0 && !head.checked;
  bar.hidden = !chosen.length;
  bar.querySelector("[data-bin-count]").textContent = text("selected", { count: chosen.length });
  for (const box of boxes()) box.closest("tr").toggleAttribute("aria-selected", box.checked);
  for (const box of chosen) box.closest("tr").setAttribute("aria-selected", "true");
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-bin-all]")) for (const box of boxes()) box.checked = event.target.checked;
  if (event.target.matches("[data-bin-all], [data-bin-pick]")) draw();
});
document.addEventListener("click", (event) => {
  if (!event.target.closest('[data-do="bin-clear"]')) return;
  for (const box of boxes()) box.checked = false;
  draw();
});
window.addEventListener("pageshow", draw);
