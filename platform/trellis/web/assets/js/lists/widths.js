// Columns made wider or narrower: by dragging the edge of a header, or with Shift and the arrow keys on it.
import { list, query } from "./nav.js";

const NARROWEST = 64;
const WIDEST = 800;
const STEP = 16;

const colOf = (th) => th.closest("table").querySelectorAll("colgroup > col")[[...th.parentElement.children].indexOf(th)];
const clamp = (width) => Math.round(Math.max(NARROWEST, Math.min(WIDEST, width)));

/** What the address says of widths: a map of paths. */
function read(params) {
  return new Map((params.get("w") ?? "").split(",").filter(Boolean).map((part) => part.split(":")));
}

/** Keep the width in the address, and in what the list's forms say, so that a saved view has it. */
function keep(path, width) {
  const params = new URLSearchParams(query());
  const widths = read(params);
  if (width === null) widths.delete(path);
  else widths.set(path, width);
  if (widths.size) params.set("w", [...widths].map(([name, value]) => `${name}:${value}`).join(","));
  else params.delete("w");
  list().dataset.query = params.toString();
  history.replaceState(history.state, "", `${location.pathname}?${params}`);
  for (const input of document.querySelectorAll("#list [data-list-state]")) input.value = params.toString();
  for (const link of document.querySelectorAll("#list [data-list-go]")) {
    const url = new URL(link.href);
    if (params.has("w")) url.searchParams.set("w", params.get("w"));
    else url.searchParams.delete("w");
    link.href = url.href;
  }
  for (const menu of document.querySelectorAll("#list .t-menu[hx-get]")) {
    const [address] = menu.getAttribute("hx-get").split("?");
    menu.setAttribute("hx-get", `${address}?${params}`);
  }
}

document.addEventListener("pointerdown", (event) => {
  const grip = event.target.closest?.("th [data-grip]");
  if (!grip || event.button) return;
  event.preventDefault();
  const th = grip.closest("th");
  const col = colOf(th);
  const from = th.getBoundingClientRect().width;
  const way = getComputedStyle(th).direction === "rtl" ? -1 : 1;
  let width = null;
  grip.setPointerCapture(event.pointerId);
  grip.classList.add("is-held");
  const move = (moved) => {
    width = clamp(from + way * (moved.clientX - event.clientX));
    col.width = width;
  };
  const end = () => {
    grip.removeEventListener("pointermove", move);
    grip.classList.remove("is-held");
    if (width !== null) keep(grip.dataset.grip, width);
  };
  grip.addEventListener("pointermove", move);
  grip.addEventListener("lostpointercapture", end, { once: true });
});
document.addEventListener("dblclick", (event) => {
  const grip = event.target.closest?.("th [data-grip]");
  if (!grip) return;
  // as wide as what stands in it, as far as it has been drawn
  const th = grip.closest("th");
  const at = [...th.parentElement.children].indexOf(th);
  const range = document.createRange();
  const inside = [th.querySelector(".t-cut"), ...document.querySelectorAll(`#rows > tr[data-id]:not([hidden]) > :nth-child(${at + 1})`)];
  const wide = inside.filter(Boolean).map((cell) => {
    const clipped = [...cell.querySelectorAll(".t-cut")].reduce((most, each) => Math.max(most, each.scrollWidth - each.clientWidth), 0);
    range.selectNodeContents(cell);
    return range.getBoundingClientRect().width + clipped;
  });
  const width = clamp(Math.max(...wide) + 32);
  colOf(th).width = width;
  keep(grip.dataset.grip, width);
});
document.addEventListener("keydown", (event) => {
  if (!event.shiftKey || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
  const th = event.target.closest?.(".t-grid thead th");
  const grip = th?.querySelector("[data-grip]");
  if (!grip) return;
  event.preventDefault();
  const way = (event.key === "ArrowRight" ? 1 : -1) * (getComputedStyle(th).direction === "rtl" ? -1 : 1);
  const width = clamp(th.getBoundingClientRect().width + way * STEP);
  colOf(th).width = width;
  keep(grip.dataset.grip, width);
});
