// The forms of common changes: what belongs to the chosen type is asked for, and the YAML is shown as one types.
import { request } from "../lib/http.js";

function fit(form) {
  for (const part of form.querySelectorAll("[data-only]")) {
    const [name, ...values] = part.dataset.only.split(" ");
    const chosen = form.elements[name]?.value ?? "";
    const shown = values.includes(chosen);
    part.hidden = !shown;
    for (const input of part.querySelectorAll("input, select, textarea")) input.disabled = !shown;
  }
}

const timers = new WeakMap();
function preview(form) {
  const place = form.querySelector("[data-yaml]");
  if (!place) return;
  clearTimeout(timers.get(form));
  timers.set(form, setTimeout(async () => {
    const body = new URLSearchParams(new FormData(form));
    body.set("_preview", "1");
    try {
      const answer = await request(form.action || location.href, { method: "POST", body });
      if (answer.ok || answer.status === 422) place.innerHTML = await answer.text();
    } catch { /* the button still works, and says what is wrong */ }
  }, 350));
}

for (const form of document.querySelectorAll("[data-change]")) {
  fit(form);
  form.addEventListener("input", () => (fit(form), preview(form)));
  form.addEventListener("change", (event) => {
    if (event.target.matches("[data-reload]")) {
      const address = new URL(location.href);
      address.search = new URLSearchParams([...new FormData(form)].filter(([name, value]) => typeof value === "string" && value && name !== "csrf_token"));
      location.assign(address);
    }
  });
  preview(form);
}
