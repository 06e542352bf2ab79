// Links that keep something of their own (the part that a contact plays): a row for each record that is picked.
import { $, $$, enliven, nodes, onContent, once } from "./util.js";

onContent((root) => {
  for (const box of $$("[data-via]", root)) {
    if (!once(box, "via")) continue;
    const select = $("select[multiple]", box);
    const list = $("[data-via-list]", box);
    select.addEventListener("change", () => draw(box, select, list));
    list.addEventListener("click", (event) => {
      const row = event.target.closest("[data-via-remove]")?.closest("[data-via-row]");
      if (!row) return;
      for (const option of select.options) if (option.value === row.dataset.viaRow) option.selected = false;
      select.dispatchEvent(new Event("picker:draw"));
      select.dispatchEvent(new Event("change", { bubbles: true }));
      $("input[role=combobox]", box)?.focus();
    });
  }
});

/** A row for every record that is picked, in the order of picking; what was typed in the others stays. */
function draw(box, select, list) {
  const chosen = [...select.selectedOptions].filter((option) => option.value);
  const ids = new Set(chosen.map((option) => option.value));
  for (const row of $$("[data-via-row]", list)) if (!ids.has(row.dataset.viaRow)) row.remove();
  for (const option of chosen) {
    if ($(`[data-via-row="${CSS.escape(option.value)}"]`, list)) continue;
    const fresh = nodes($("template", box).innerHTML.replaceAll("__id__", option.value)).firstElementChild;
    const title = option.text.trim();
    $(".t-via-title", fresh).textContent = title;
    const button = $("[data-via-remove]", fresh);
    button.setAttribute("aria-label", button.getAttribute("aria-label").replace("__title__", title));
    list.append(fresh);
    enliven(fresh);
  }
  list.hidden = !chosen.length;
}
