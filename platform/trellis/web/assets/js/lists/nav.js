// Going from one state of a list to another: only the list is drawn anew, the address says what is shown.
import { htmx } from "../htmx.js";

export const list = () => document.getElementById("list");
export const base = () => list()?.dataset.base ?? "";
export const query = () => list()?.dataset.query ?? "";

let going = 0;

/** Show the list at an address; without a list on the page, go there. */
export async function go(url, { push = true } = {}) {
  const here = list();
  if (!here) return void (location.href = url);
  const number = (going += 1);
  here.setAttribute("aria-busy", "true");
  const focused = document.activeElement?.id;
  if (push) history.pushState({ list: true }, "", url);
  await htmx.ajax("GET", url, { target: "#list", swap: "outerHTML", select: "#list" });
  if (number !== going) return;
  const search = document.querySelector("[data-list-search]");
  const q = new URL(url, location.href).searchParams.get("q") ?? "";
  if (search && document.activeElement !== search) search.value = q;
  if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus({ preventScroll: true });
  list()?.removeAttribute("aria-busy");
  document.dispatchEvent(new CustomEvent("trellis:list"));
}

/** Draw the list as it is now once more. */
export const again = () => go(location.href, { push: false });

/** The list's address with some parameters changed; null takes one away. */
export function withParams(changes) {
  const params = new URLSearchParams(query());
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") params.delete(name);
    else params.set(name, value);
  }
  return `${base()}/?${params}`;
}

document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const link = event.target.closest("[data-list-go], #list .t-tab[href]");
  if (link?.href && list()) {
    event.preventDefault();
    link.closest("[popover]")?.hidePopover();
    go(link.href);
    return;
  }
  const out = event.target.closest("[data-list-export]");
  if (out && list()) out.href = `${out.pathname}?${query()}`;
});
addEventListener("popstate", () => list() && again());
document.addEventListener("trellis:list-changed", again);

// on a phone the search stands behind a button
document.addEventListener("click", (event) => {
  const head = event.target.closest('[data-do="list-search"]')?.closest(".t-head");
  if (head?.classList.toggle("is-searching")) head.querySelector("[data-list-search]").focus();
});

let timer = 0;
function search(input, wait) {
  clearTimeout(timer);
  timer = setTimeout(() => {
    const q = input.value.trim();
    if (q !== (new URLSearchParams(query()).get("q") ?? "")) go(withParams({ q }));
  }, wait);
}
document.addEventListener("input", (event) => event.target.matches("[data-list-search]") && search(event.target, 250));
document.addEventListener("search", (event) => event.target.matches("[data-list-search]") && search(event.target, 0), true);
