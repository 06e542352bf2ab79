// "@" and the beginning of a name in a text about a record offers the people who may read it.
import { float } from "./float.js";
import { request } from "../lib/http.js";

const TYPED = /(?:^|[^\p{L}\p{N}@.])@([\p{L}][\p{L}\p{N}.'’ -]{0,30})$/u;
const WAIT = 150;
let open = null; // { area, panel, away, at, people, chosen }
let waiting = 0;

function close() {
  open?.away();
  open?.panel.remove();
  open?.area.removeAttribute("aria-activedescendant");
  open?.area.removeAttribute("aria-controls");
  open = null;
}

function draw(area, at, people) {
  close();
  if (!people.length) return;
  const panel = document.createElement("div");
  panel.className = "t-menu t-mention";
  panel.id = "mention-list";
  panel.popover = "manual";
  panel.setAttribute("role", "listbox");
  panel.setAttribute("aria-label", area.closest("[data-mention]").dataset.mentionLabel);
  people.forEach((one, index) => {
    const option = document.createElement("div");
    option.className = "t-menu-item";
    option.id = `mention-${index}`;
    option.setAttribute("role", "option");
    const name = document.createElement("bdi");
    name.textContent = one.name;
    const mail = document.createElement("span");
    mail.className = "t-3rd t-cut";
    mail.textContent = one.email;
    option.append(name, mail);
    option.addEventListener("pointerdown", (event) => { event.preventDefault(); take(index); });
    panel.append(option);
  });
  (area.closest("dialog") ?? document.body).append(panel);
  open = { area, panel, at, people, chosen: 0, away: float(panel, area, { wide: false }) };
  area.setAttribute("aria-controls", panel.id);
  choose(0);
}

function choose(index) {
  open.chosen = (index + open.people.length) % open.people.length;
  [...open.panel.children].forEach((option, n) => {
    option.classList.toggle("is-on", n === open.chosen);
    option.setAttribute("aria-selected", String(n === open.chosen));
  });
  open.area.setAttribute("aria-activedescendant", `mention-${open.chosen}`);
}

function take(index) {
  const { area, at, people } = open;
  close();
  area.setRangeText(`@${people[index].text} `, at, area.selectionStart, "end");
  area.dispatchEvent(new Event("input", { bubbles: true }));
  area.focus();
}

async function ask(area) {
  const place = area.closest("[data-mention]");
  const before = area.value.slice(0, area.selectionStart);
  const typed = TYPED.exec(before)?.[1];
  if (!place || typed === undefined) return close();
  const answer = await request(`${place.dataset.mention}?q=${encodeURIComponent(typed)}`);
  if (!answer.ok || document.activeElement !== area || area.value.slice(0, area.selectionStart) !== before) return;
  const { people } = await answer.json();
  // a name that stands there already, and a space after it, asks for nobody
  if (people.some((one) => `${one.text} `.toLowerCase() === typed.toLowerCase())) return close();
  draw(area, before.length - typed.length - 1, people);
}

document.addEventListener("input", ({ target }) => {
  if (!(target instanceof HTMLTextAreaElement) || !target.closest("[data-mention]")) return;
  clearTimeout(waiting);
  if (target.value.lastIndexOf("@", target.selectionStart) < 0) return close();
  waiting = setTimeout(() => ask(target), WAIT);
});
document.addEventListener("keydown", (event) => {
  if (!open || event.target !== open.area) return;
  const act = { ArrowDown: () => choose(open.chosen + 1), ArrowUp: () => choose(open.chosen - 1), Enter: () => take(open.chosen), Tab: () => take(open.chosen), Escape: close }[event.key];
  if (!act) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  act();
}, true);
document.addEventListener("focusout", ({ target }) => { if (open?.area === target) close(); });
