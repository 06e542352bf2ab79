// The report builder: which controls a choice needs, filters by the list's own builder, and what is wrong at its control.
import { htmx } from "../htmx.js";
import { $, $$, onContent } from "../forms/util.js";

const show = (element, wanted) => {
  element.hidden = !wanted;
};

/** A group's row: a part of a date, ranges of a number, or a formula. */
function arrange(row) {
  const path = $("[data-build-path]", row);
  const how = $("[data-build-how]", row);
  const kind = path?.selectedOptions[0]?.dataset.kind ?? "";
  for (const each of $$("[data-for-kinds]", row)) show(each, each.dataset.forKinds.split(" ").includes(kind));
  const formula = (path ?? how).value === "=";
  for (const each of $$("[data-for-formula]", row)) show(each, formula);
  const of = $("[data-build-of]", row);
  if (!of) return;
  show(of, !formula && how.value !== "count");
  const fits = { sum: "number money duration", avg: "number money duration", median: "number money duration", min: "number money duration date datetime", max: "number money duration date datetime" }[how.value];
  for (const option of of.options) option.hidden = option.disabled = !!(fits && option.value && option.dataset.kind && !fits.split(" ").includes(option.dataset.kind));
  if (of.selectedOptions[0]?.disabled) of.value = "";
}

/** Says what is wrong at its control; what saving has refused stays there until something is changed. */
function mark(faults, form) {
  for (const line of $$("[data-fault]", form)) {
    const text = faults[line.dataset.fault] ?? ("refused" in line.dataset ? $("span", line).textContent : "");
    show(line, !!text);
    $("span", line).textContent = text ?? "";
    for (const control of $$(".form-control, .form-select", line.parentElement)) control.classList.toggle("is-wrong", !!text && !control.hidden);
  }
}

document.addEventListener("input", ({ target }) => delete target.closest?.("#builder *")?.parentElement.querySelector(":scope > [data-refused]")?.dataset.refused);

onContent((root) => {
  for (const row of $$("[data-build-row]", root)) arrange(row);
  $("[data-refused]", root)?.parentElement.querySelector(".form-control, .form-select")?.focus();
  for (const [id, form] of [["builder-preview", "builder"], ["gallery-preview", "gallery"]]) {
    const box = document.getElementById(id);
    const told = box && $("[data-build-faults]", box);
    if (told && (root.contains(told) || told.contains(root))) {
      mark(JSON.parse(told.textContent), document.getElementById(form));
      box.removeAttribute("aria-busy");
    }
  }
});

document.addEventListener(
  "change",
  (event) => {
    const row = event.target.closest?.("[data-build-row]");
    if (row) arrange(row);
  },
  true,
);

function restate(query) {
  const now = $("[data-build-now]");
  now.value = query;
  htmx.trigger(now, "redraw");
}
document.addEventListener("list-address", (event) => {
  if (!event.target.matches("[data-keeps-state]")) return;
  event.preventDefault(); // the address is of a list: here only its filters are wanted
  restate(new URL(event.detail, location.href).search.slice(1));
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-build-state]");
  if (button) restate(button.dataset.buildState);
});
