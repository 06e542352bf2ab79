// "Print" in a menu: the menu closes first, so that it does not stand on the paper.
document.addEventListener("click", (event) => {
  const item = event.target.closest('[data-do="print"]');
  if (!item) return;
  item.closest("[popover]")?.hidePopover();
  requestAnimationFrame(() => window.print());
});
