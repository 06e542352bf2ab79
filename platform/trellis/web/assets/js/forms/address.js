// An address asks for what its country has: another country puts the boxes in another order and calls them otherwise.
import { $, $$, ask, onContent, once } from "./util.js";

onContent((root) => {
  for (const group of $$("[data-address]", root)) {
    if (!once(group, "address")) continue;
    const select = $("select[name$='.country']", group);
    select?.addEventListener("change", async () => {
      const { ok, data } = await ask(`${group.dataset.address}?country=${encodeURIComponent(select.value)}`, { accept: "application/json" });
      if (ok) arrange(group, data);
    });
  }
});

/** Around the country, which may hold the focus and so does not move; what was typed is never hidden. */
function arrange(group, boxes) {
  const at = (part) => $(`[data-box="${part}"]`, group);
  const country = at("country");
  const named = new Set(boxes.map((box) => box.part));
  let before = true;
  for (const { part, label, width, required } of boxes) {
    const box = at(part);
    box.className = `t-part is-w${width}`;
    if (part === "country") { before = false; continue; }
    if (before) group.insertBefore(box, country);
    else group.append(box);
    box.hidden = false;
    $("[data-box-label]", box).textContent = label;
    const star = $(".t-req", box);
    if (star) star.hidden = !required;
  }
  for (const box of $$("[data-box]", group)) {
    if (named.has(box.dataset.box)) continue;
    box.className = "t-part is-w3";
    box.hidden = !$("input", box).value.trim();
    group.append(box);
  }
}
