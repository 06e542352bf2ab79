// Dashboards: what could not be loaded says so, the page refreshes itself, and the part that arranges is loaded when it is asked for.
import { $, $$ } from "../forms/util.js";
import { htmx } from "../htmx.js";
import { statusOf } from "../lib/http.js";

const page = () => $("[data-dash]");
const widgetOf = (element) => element?.closest?.("[data-widget]");

/** Asks for every widget anew; what is arranged at the moment is left alone. */
function refresh() {
  if (document.hidden || page()?.classList.contains("is-arranging")) return;
  for (const box of $$("[data-widget] > [hx-get]")) htmx.trigger(box, "refresh");
}

let timer = null;
function tick() {
  clearInterval(timer);
  const seconds = Number(document.fullscreenElement ? page()?.dataset.fullRefresh : page()?.dataset.refresh) || 0;
  if (seconds) timer = setInterval(refresh, seconds * 1000);
}

/** In the place of a widget that did not come: what happened, and a way to try again. */
function broken(box) {
  const head = document.createElement("div");
  head.className = "t-w-head";
  const title = document.createElement("h2");
  title.className = "t-cut";
  title.textContent = widgetOf(box).getAttribute("aria-label");
  head.append(title);
  box.replaceChildren(head, $("template[data-dash-broken]").content.cloneNode(true));
  box.removeAttribute("aria-busy");
}

for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => widgetOf(event.target) && event.target.matches("[hx-get]") && broken(event.target));
}
document.addEventListener("htmx:beforeSwap", (event) => {
  if (!widgetOf(event.target) || !event.target.matches("[hx-get]") || statusOf(event.detail.xhr) < 400) return;
  event.detail.shouldSwap = false;
  broken(event.target);
});
document.addEventListener("htmx:afterSwap", (event) => widgetOf(event.target) && event.target.removeAttribute("aria-busy"));

document.addEventListener("click", async (event) => {
  const again = event.target.closest("[data-dash-again]");
  if (again) htmx.trigger(widgetOf(again).querySelector("[hx-get]"), "refresh");
  if (event.target.closest("[data-dash-edit]")) (await import("./arrange.js")).arrange(page());
  if (event.target.closest("[data-dash-full]")) {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen();
  }
});
document.addEventListener("fullscreenchange", () => {
  if (!page()) return;
  document.body.classList.toggle("is-full-dash", Boolean(document.fullscreenElement));
  $("[data-dash-full]")?.setAttribute("aria-pressed", String(Boolean(document.fullscreenElement)));
  tick();
});
document.addEventListener("visibilitychange", () => page() && tick());
if (page()) tick();

/** After a widget was added: where it stands. */
const added = page() && location.hash.startsWith("#w-") && document.getElementById(location.hash.slice(1));
if (added) {
  added.classList.add("is-new");
  added.scrollIntoView({ block: "center" });
}

// Pinning a report: a new dashboard needs a name, and only those of the company can be for everybody.
document.addEventListener("change", (event) => {
  if (event.target.matches?.("[data-pin-to]")) arrangePin(event.target);
});
document.addEventListener("htmx:afterSwap", () => $$("dialog [data-pin-to]").forEach(arrangePin));
function arrangePin(select) {
  const form = select.form;
  const named = $("[data-pin-new]", form);
  named.hidden = select.value !== "new";
  $("input", named).required = !named.hidden;
  const whom = $("[data-pin-whom]", form);
  if (whom) whom.hidden = !("pinAll" in (select.selectedOptions[0]?.dataset ?? {}));
}

// What is being saved is not looked at once more: the page goes on, and would break the request off.
document.addEventListener("pointerdown", (event) => {
  const form = event.target.closest?.("[data-gallery-save]") && document.getElementById("gallery-form");
  if (!form) return;
  form.dataset.saving = "";
  setTimeout(() => delete form.dataset.saving, 1500);
});
document.addEventListener("htmx:beforeRequest", (event) => {
  const save = event.target.id === "gallery-form" && $("[data-gallery-save]");
  if (save && ("saving" in event.target.dataset || save.classList.contains("htmx-request"))) event.preventDefault();
});
