// Menus: a button with popovertarget and a [popover].t-menu. The browser opens and closes them; here they get their place and their keys.

/** Puts a floating box under its button, or above it where there is no room; inside the window in any case. */
export function place(box, button) {
  const at = button.getBoundingClientRect();
  const size = box.getBoundingClientRect();
  const rtl = getComputedStyle(button).direction === "rtl";
  const fromEnd = box.dataset.align === "end" ? !rtl : rtl;
  const left = fromEnd ? at.right - size.width : at.left;
  const below = at.bottom + 4;
  const top = below + size.height > innerHeight - 8 && at.top - 4 - size.height > 8 ? at.top - 4 - size.height : below;
  box.style.left = `${Math.max(8, Math.min(left, innerWidth - size.width - 8))}px`;
  box.style.top = `${Math.max(8, Math.min(top, innerHeight - size.height - 8))}px`;
  if (box.dataset.match === "width") box.style.minWidth = `${at.width}px`;
}

const buttonOf = (menu) => {
  const all = [...document.querySelectorAll(`[popovertarget="${CSS.escape(menu.id)}"]`)];
  const seen = all.find((button) => button.getClientRects().length);
  const outer = all[0]?.closest("[popover]"); // a button in a menu that is closed by now: where that one hangs
  return seen ?? (outer && outer !== menu ? buttonOf(outer) : all[0]);
};
const itemsOf = (menu) => [...menu.querySelectorAll('[role^="menuitem"]:not([disabled])')].filter((item) => item.getClientRects().length);

document.addEventListener(
  "toggle",
  (event) => {
    const menu = event.target;
    if (!menu.matches?.("[popover].t-menu, [popover].t-pop")) return;
    const button = buttonOf(menu);
    const open = event.newState === "open";
    button?.setAttribute("aria-expanded", String(open));
    if (open && button) {
      place(menu, button);
      const first = menu.querySelector("[autofocus]") ?? (menu.matches(".t-menu") ? (menu.querySelector('[aria-checked="true"]') ?? itemsOf(menu)[0]) : null);
      first?.focus({ preventScroll: true });
    }
  },
  true,
);

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.(".t-menu[popover]");
  if (!menu || event.target.matches("input, textarea")) return;
  const items = itemsOf(menu);
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (to !== undefined && items.length) {
    event.preventDefault();
    items[(to + items.length) % items.length].focus();
  } else if (event.key === "Tab") {
    menu.hidePopover();
  } else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && /\S/.test(event.key)) {
    const from = [...items.slice(at + 1), ...items.slice(0, at + 1)];
    from.find((item) => item.textContent.trim().toLowerCase().startsWith(event.key.toLowerCase()))?.focus();
  }
});
document.addEventListener("click", (event) => {
  const item = event.target.closest?.('.t-menu[popover] [role="menuitem"], .t-menu[popover] [role="menuitemradio"]');
  if (item && !item.hasAttribute("data-stay")) item.closest("[popover]").hidePopover();
});
addEventListener("resize", () => document.querySelectorAll(".t-menu:popover-open, .t-pop:popover-open").forEach((menu) => buttonOf(menu) && place(menu, buttonOf(menu))));
