// Reports: groups that fold, and charts, whose library is loaded only where there is one.
import "./builder.js";
import { $$, onContent, once } from "../forms/util.js";

onContent((root) => {
  const found = $$("[data-chart]", root).filter((box) => once(box, "chart"));
  if (found.length) import("./chart.js").then(({ draw }) => found.forEach(draw));
});

/** The chart of the page as a file. */
async function save(name) {
  const { pictureOf } = await import("./chart.js");
  const link = document.createElement("a");
  link.href = pictureOf(document.querySelector("[data-chart]"));
  link.download = `${name}.png`;
  link.click();
}

/** Hides or shows what a subtotal is made of; what was folded inside stays folded. */
function fold(button) {
  const open = button.getAttribute("aria-expanded") === "true";
  button.setAttribute("aria-expanded", String(!open));
  const row = button.closest("tr");
  const depth = Number(row.dataset.depth);
  let shut = null;
  for (let next = row.nextElementSibling; next && Number(next.dataset.depth) > depth; next = next.nextElementSibling) {
    const at = Number(next.dataset.depth);
    if (shut !== null && at <= shut) shut = null;
    next.hidden = open || shut !== null;
    if (shut === null && $$("[data-fold][aria-expanded=false]", next).length) shut = at;
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-fold]");
  if (button) fold(button);
  const picture = event.target.closest('[data-do="chart-png"]');
  if (picture) {
    picture.closest("[popover]")?.hidePopover();
    save(picture.dataset.name);
  }
});
