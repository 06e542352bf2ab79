// Light, dark or as the system has it. The choice is a cookie that the server reads, so that no page flashes in the wrong one.
import { address, request } from "./lib/http.js";

const root = document.documentElement;

function keep(name, value) {
  const path = document.querySelector('meta[name="root"]')?.content ?? "/";
  document.cookie = `${name}=${value}; path=${path}; max-age=31536000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
}

/** Shows a theme and keeps it for this browser, and for the person when one is signed in. */
export function setTheme(theme) {
  root.dataset.bsTheme = theme;
  keep("t-theme", theme);
  for (const item of document.querySelectorAll("[data-set-theme]")) item.setAttribute("aria-checked", String(item.dataset.setTheme === theme));
  if (root.dataset.signedIn !== undefined) request(address("profile/theme"), { method: "POST", body: new URLSearchParams({ theme }) }).catch(() => {});
}

document.addEventListener("click", (event) => {
  const choice = event.target.closest("[data-set-theme]");
  if (choice) return setTheme(choice.dataset.setTheme);
  if (event.target.closest('[data-do="theme"]')) {
    const dark = root.dataset.bsTheme === "dark" || (root.dataset.bsTheme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
    setTheme(dark ? "light" : "dark");
  }
});
document.addEventListener("change", (event) => {
  if (event.target.matches('input[type="radio"][data-theme-choice]')) setTheme(event.target.value);
});
