// The sidebar: a drawer on narrow screens, collapsible on wide ones.
const narrow = matchMedia("(max-width: 767px)");
const side = () => document.querySelector(".t-side");

function setDrawer(open) {
  const drawer = side();
  if (!drawer) return;
  drawer.classList.toggle("is-open", open);
  document.querySelector(".t-side-scrim")?.toggleAttribute("hidden", !open);
  const button = document.querySelector('[data-do="drawer"]');
  button?.setAttribute("aria-expanded", String(open));
  // what lies behind an open drawer is out of reach, also for the keyboard
  document.querySelector(".t-main")?.toggleAttribute("inert", open);
  if (open) drawer.querySelector("a, button")?.focus();
  else if (drawer.contains(document.activeElement)) button?.focus();
}

function setCollapsed(collapsed) {
  document.body.classList.toggle("is-narrow", collapsed);
  const button = document.querySelector('[data-do="collapse"]');
  button?.setAttribute("aria-pressed", String(collapsed));
  const path = document.querySelector('meta[name="root"]')?.content ?? "/";
  document.cookie = `t-side=${collapsed ? "narrow" : "wide"}; path=${path}; max-age=31536000; samesite=lax`;
}

document.addEventListener("click", (event) => {
  if (event.target.closest('[data-do="drawer"]')) return setDrawer(!side()?.classList.contains("is-open"));
  if (event.target.closest('[data-do="collapse"]')) return narrow.matches ? setDrawer(false) : setCollapsed(!document.body.classList.contains("is-narrow"));
  if (event.target.closest(".t-side-scrim, .t-side a[href]")) setDrawer(false);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && side()?.classList.contains("is-open")) setDrawer(false);
  if (event.key === "[" && !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.closest("input, textarea, select, [contenteditable]") && !narrow.matches)
    setCollapsed(!document.body.classList.contains("is-narrow"));
});
narrow.addEventListener("change", () => setDrawer(false));
document.querySelector(".t-side [aria-current]")?.scrollIntoView({ block: "nearest" });
