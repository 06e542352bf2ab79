// Arranging a dashboard: dragging and sizing by GridStack; the same by arrow keys and by a menu.
import { GridStack } from "gridstack";
import { $, $$ } from "../forms/util.js";
import { htmx } from "../htmx.js";
import { request } from "../lib/http.js";
import { place } from "../menus.js";
import { toast } from "../toasts.js";
import { text } from "../lib/text.js";

const ROW = 52; // 40 px and the gap: as the stylesheet has it
const TALLEST = 24;
let grid = null;

const fill = (words, values) => words.replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
const nameOf = (item) => item.getAttribute("aria-label");
const say = (words) => ($("[data-dash-said]").textContent = words);

/** Gives a widget its bar: what moves it, its name, its menu. */
function equip(item, template) {
  if ($(".t-dw-tools", item)) return;
  item.prepend(template.content.cloneNode(true));
  const tools = $(".t-dw-tools", item);
  $("[data-dash-name]", tools).textContent = nameOf(item);
  for (const button of $$("[aria-label]", tools)) button.setAttribute("aria-label", fill(button.getAttribute("aria-label"), { name: nameOf(item) }));
  const menu = $(".t-menu", tools);
  menu.id = `dash-menu-${item.dataset.widget}`;
  menu.setAttribute("aria-label", nameOf(item));
  $("[data-dash-menu]", tools).setAttribute("popovertarget", menu.id);
  const own = "own" in item.dataset;
  const kept = "removable" in item.dataset;
  $("[data-dash-act=away]", menu).hidden = own;
  for (const name of ["change", "remove"]) $(`[data-dash-act=${name}]`, menu).hidden = !kept;
}

const ACTS = {
  left: (n) => ({ x: Math.max(0, n.x - 1) }),
  right: (n) => ({ x: Math.min(12 - n.w, n.x + 1) }),
  up: (n) => ({ y: Math.max(0, n.y - 1) }),
  down: (n) => ({ y: n.y + 1 }),
  wider: (n) => (n.x + n.w < 12 ? { w: n.w + 1 } : { x: Math.max(0, n.x - 1), w: Math.min(12, n.w + 1) }),
  narrower: (n) => ({ w: Math.max(2, n.w - 1) }),
  taller: (n) => ({ h: Math.min(TALLEST, n.h + 1) }),
  shorter: (n) => ({ h: Math.max(2, n.h - 1) }),
};

const removed = [];
let moved = false;

function act(item, name) {
  if (name === "away") return away(item);
  if (name === "remove") return remove(item);
  if (name === "change") return change(item);
  const node = item.gridstackNode;
  grid.update(item, ACTS[name](node));
  tell(item);
}

/** Says where a widget stands now. */
function tell(item) {
  const at = item.gridstackNode;
  say(fill($("[data-dash]").dataset.moved, { name: nameOf(item), x: at.x + 1, y: at.y + 1, w: at.w, h: at.h }));
}

/** Takes a widget off the page; it waits below. */
function away(item) {
  const { w, h } = item.gridstackNode;
  $("[popover]:popover-open", item)?.hidePopover();
  grid.removeWidget(item, false);
  item.hidden = true;
  item.remove();
  const line = $("template[data-dash-put]").content.cloneNode(true);
  const button = $("button", line);
  Object.assign(button.dataset, { dashAdd: item.dataset.widget, w, h });
  $("span", line).textContent = nameOf(item);
  button.kept = item;
  $("[data-dash-hidden]").append(line);
  $("[data-dash-none]").hidden = true;
  say(fill($("[data-dash]").dataset.gone, { name: nameOf(item) }));
  $("[data-dash-save=me]").focus();
}

/** Takes off for good what somebody has put there: with the next save. */
function remove(item) {
  $("[popover]:popover-open", item)?.hidePopover();
  removed.push(item.dataset.widget);
  grid.removeWidget(item, true);
  moved = true;
  say(fill($("[data-dash]").dataset.removed, { name: nameOf(item) }));
  toast(fill($("[data-dash]").dataset.removed, { name: nameOf(item) }));
  $("[data-dash-save=me]").focus();
}

/** Opens the gallery for a widget; what was moved before is kept first. */
async function change(item) {
  const menu = $("[popover]:popover-open", item);
  const { gallery } = $("[data-dash-act=change]", menu).dataset;
  menu.hidePopover();
  if (moved && !(await keep("me"))) return;
  htmx.ajax("GET", `${gallery}?widget=${encodeURIComponent(item.dataset.widget)}`, { target: "#dialog-slot" });
}

/** Brings one back; what was put away earlier has no content here, and comes with the page after saving. */
function back(button) {
  const item = button.kept ?? stand(button);
  item.hidden = false;
  const at = { w: Number(button.dataset.w), h: Number(button.dataset.h), autoPosition: true };
  $("[data-dash-grid]").append(item);
  equip(item, $("template[data-dash-tools]"));
  grid.makeWidget(item, { ...at, id: item.dataset.widget });
  button.closest("li").remove();
  $("[data-dash-none]").hidden = Boolean($("[data-dash-hidden] li"));
  say(fill($("[data-dash]").dataset.back, { name: nameOf(item) }));
  item.scrollIntoView({ block: "nearest" });
  $("[data-dash-grip]", item).focus();
}

function stand(button) {
  const item = document.createElement("div");
  item.setAttribute("role", "group");
  item.className = "grid-stack-item t-dw";
  item.dataset.widget = button.dataset.dashAdd;
  item.setAttribute("aria-label", button.textContent.trim());
  const inside = document.createElement("div");
  inside.className = "grid-stack-item-content t-w";
  item.append(inside);
  return item;
}

async function save(whose) {
  if (await keep(whose)) location.reload();
}

/** Sends where everything stands; whether it is kept. */
async function keep(whose) {
  const widgets = {};
  for (const item of $$("[data-dash-grid] > [data-widget]")) {
    const { x, y, w, h } = item.gridstackNode;
    widgets[item.dataset.widget] = [x, y, w, h];
  }
  const hidden = $$("[data-dash-add]").map((button) => button.dataset.dashAdd);
  const answer = await request($("[data-dash]").dataset.save, { method: "POST", body: { widgets, hidden, removed, for: whose } });
  if (answer.ok) return true;
  const said = await answer.json().catch(() => ({}));
  toast(said.error ?? text("broken", { id: "" }), { kind: "error" });
  return false;
}

/** Lets the person arrange the page. */
export function arrange(page) {
  if (!page || page.classList.contains("is-arranging")) return;
  page.classList.add("is-arranging");
  $("[data-dash-bar]").hidden = false;
  $("[data-dash-away]").hidden = false;
  $("[data-dash-edit]").hidden = true;
  const box = $("[data-dash-grid]", page);
  box.classList.replace("t-dg", "grid-stack");
  const template = $("template[data-dash-tools]");
  for (const item of $$("[data-widget]", box)) equip(item, template); // before: the library looks for the handle once
  grid = GridStack.init({ column: 12, cellHeight: ROW, margin: 6, minRow: 1, animate: false, handle: ".t-dw-tools", float: false, resizable: { handles: "se" }, alwaysShowResizeHandle: true }, box);
  grid.on("change", () => (moved = true));
  grid.on("change", (_, nodes) => nodes.length === 1 && tell(nodes[0].el));
  $("[data-dash-grip]", box)?.focus();
}

document.addEventListener("click", (event) => {
  if (!grid) return;
  const item = event.target.closest("[data-widget]");
  const chosen = event.target.closest("[data-dash-act]");
  if (chosen && item) act(item, chosen.dataset.dashAct);
  const add = event.target.closest("[data-dash-add]");
  if (add) back(add);
  const kept = event.target.closest("[data-dash-save]");
  if (kept) save(kept.dataset.dashSave);
  if (moved && event.target.closest("[data-dash-gallery]")) keep("me"); // the page comes anew with what is added
  if (event.target.closest("[data-dash-cancel]")) location.reload();
  if (chosen && item) {
    const menu = chosen.closest("[popover]:popover-open");
    if (menu) requestAnimationFrame(() => place(menu, $("[data-dash-menu]", item)));
  }
});

const KEYS = { ArrowLeft: ["left", "narrower"], ArrowRight: ["right", "wider"], ArrowUp: ["up", "shorter"], ArrowDown: ["down", "taller"] };
document.addEventListener("keydown", (event) => {
  const grip = event.target.closest?.("[data-dash-grip]");
  const way = KEYS[event.key];
  if (!grid || !grip || !way) return;
  event.preventDefault();
  act(grip.closest("[data-widget]"), way[event.shiftKey ? 1 : 0]);
});
