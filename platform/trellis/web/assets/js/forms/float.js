// Places what floats beside its anchor, in the top layer, so that no scrolling frame cuts it off.

/** Show `panel` (popover="manual") under or over `anchor`, as wide as it; returns what takes it away again. */
export function float(panel, anchor, { wide = true, end = false } = {}) {
  const place = () => {
    const at = anchor.getBoundingClientRect();
    const width = Math.max(wide ? at.width : 0, 220);
    panel.style.position = "fixed";
    panel.style.inset = "auto";
    panel.style.margin = "0";
    if (wide) panel.style.width = `${Math.min(width, innerWidth - 16)}px`;
    const own = panel.getBoundingClientRect();
    const rtl = document.documentElement.dir === "rtl";
    const left = end !== rtl ? at.right - own.width : at.left;
    panel.style.left = `${Math.max(8, Math.min(left, innerWidth - own.width - 8))}px`;
    const below = innerHeight - at.bottom - 8;
    const up = own.height > below && at.top > below;
    panel.style.top = `${up ? Math.max(8, at.top - own.height - 4) : at.bottom + 4}px`;
  };
  if (!panel.matches(":popover-open")) panel.showPopover();
  place();
  addEventListener("resize", place);
  document.addEventListener("scroll", place, true);
  const watch = new ResizeObserver(place);
  watch.observe(panel);
  return () => {
    watch.disconnect();
    removeEventListener("resize", place);
    document.removeEventListener("scroll", place, true);
    if (panel.isConnected && panel.matches(":popover-open")) panel.hidePopover();
  };
}
