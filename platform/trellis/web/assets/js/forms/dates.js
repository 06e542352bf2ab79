// Dates, times, numbers, money, phones: understood and written out on leave (the server's FieldType.parse), with what is
// meant shown live below ("tomorrow" → Tue 24 Nov 2026); the calendar button opens the browser's own calendar.
import { $, $$, ask, later, onContent, once } from "./util.js";

async function understand(control, write) {
  const text = control.value.trim();
  const field = control.closest("[data-parse]");
  const hint = $("[data-understood]", field);
  if (!text || control.readOnly) {
    if (hint) hint.textContent = "";
    control.setCustomValidity("");
    return;
  }
  const url = new URL(field.dataset.parse, location.href);
  const body = new FormData();
  for (const part of $$("input, select", field)) if (part.name) body.append(part.name, part.value);
  if (field.dataset.currency) body.append(control.name.replace(/amount$/, "currency"), field.dataset.currency); // the document's
  body.append("_prefix", field.dataset.prefix ?? "");
  const { ok, data } = await ask(url, { method: "POST", body, accept: "application/json" });
  if (!ok || control.value.trim() !== text) return;
  if (hint) {
    hint.textContent = data.error ?? (data.shown === text ? "" : data.shown);
    hint.classList.toggle("is-bad", Boolean(data.error));
  }
  if (write && !data.error && data.text && control.isConnected && document.activeElement !== control) {
    if (control.value !== data.text) control.value = data.text;
    if (hint) hint.textContent = data.shown === data.text ? "" : data.shown;
  }
}

onContent((root) => {
  for (const box of $$("[data-parse]", root)) {
    if (!once(box, "parse")) continue;
    const control = $("[data-typed]", box);
    if (!control) continue;
    const live = later(250, () => understand(control, false));
    if ("live" in box.dataset) control.addEventListener("input", live);
    control.addEventListener("change", () => { live.cancel(); setTimeout(() => understand(control, true), 0); });
    box.addEventListener("keydown", (event) => {
      // the arrow opens the calendar, as it does in the browser's own date field
      if (event.altKey && event.key === "ArrowDown") $("[data-calendar]", box)?.click();
    });
    const calendar = $("[data-calendar]", box);
    const native = $("[data-native]", box);
    if (calendar && native) {
      calendar.addEventListener("click", () => {
        native.value = control.dataset.iso ?? "";
        try { native.showPicker(); } catch { native.focus(); }
      });
      native.addEventListener("change", (event) => {
        event.stopPropagation();
        control.value = native.value.replace("T", " ");
        control.dispatchEvent(new Event("input", { bubbles: true }));
        control.dispatchEvent(new Event("change", { bubbles: true }));
        control.focus();
      });
      native.addEventListener("input", (event) => event.stopPropagation());
    }
  }
});
