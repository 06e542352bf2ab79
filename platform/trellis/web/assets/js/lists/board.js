// The board: cards are moved at once, and put back with the reason when the server refuses.
import Sortable from "sortablejs";
import back from "icon:arrow-back-up";
import { showDialog } from "../dialogs.js";
import { enliven } from "../forms/util.js";
import { place } from "../menus.js";
import { htmx } from "../htmx.js";
import { icon } from "../lib/icon.js";
import { request } from "../lib/http.js";
import { text } from "../lib/text.js";
import { toast } from "../toasts.js";
import { base, list, query } from "./nav.js";

const laneOf = (element) => element.closest("[data-lane]");
const shutKey = () => `t-lanes:${list().dataset.entity}:${new URLSearchParams(query()).get("view")}`;

function count(lane, by) {
  for (const number of lane.querySelectorAll("[data-lane-count]")) {
    const now = Number(number.textContent.replace(/\D/g, ""));
    if (!/[^\d]/.test(number.textContent.trim())) number.textContent = String(Math.max(0, now + by));
  }
}

async function heads() {
  const answer = await request(`${base()}/heads?${query()}`);
  if (!answer.ok) return;
  for (const [key, head] of Object.entries(await answer.json())) {
    const lane = document.querySelector(`[data-lane="${CSS.escape(key)}"]`);
    if (!lane) continue;
    for (const number of lane.querySelectorAll("[data-lane-count]")) number.textContent = head.count;
    lane.querySelector("[data-lane-sum]").innerHTML = head.sum;
  }
}

/** Put a card into a column; the page shows it at once, the server has the last word. */
async function put(card, to, from, home) {
  const url = `${base()}/${card.dataset.id}/put?${query()}`;
  card.classList.remove("is-refused");
  card.querySelector(".t-card-why")?.remove();
  count(from, -1);
  count(to, 1);
  const putBack = (reason) => {
    home();
    count(from, 1);
    count(to, -1);
    card.classList.remove("is-held");
    if (!reason) return;
    card.classList.add("is-refused");
    const why = document.createElement("p");
    why.className = "t-card-why";
    why.setAttribute("role", "alert");
    const words = document.createElement("span");
    words.textContent = reason;
    why.append(icon(back), words);
    card.append(why);
    card.scrollIntoView({ block: "nearest" });
  };
  const body = new FormData();
  body.set("to", to.dataset.lane);
  let answer;
  try {
    answer = await request(url, { method: "POST", body });
  } catch {
    return putBack(text("offline"));
  }
  await settle(answer);

  async function settle(answer) {
    const said = (answer.headers.get("content-type") ?? "").includes("json") ? await answer.json() : {};
    if (answer.ok) {
      const holder = document.createElement("template");
      holder.innerHTML = said.card;
      const fresh = holder.content.firstElementChild;
      const focused = card.contains(document.activeElement);
      card.replaceWith(fresh);
      if (focused) fresh.querySelector("a")?.focus();
      toast(said.toast, { undo: { url, values: { to: from.dataset.lane } } });
      return heads();
    }
    if (said.dialog) {
      card.classList.add("is-held");
      return gate(said.dialog);
    }
    putBack(said.reason ?? text(answer.status === 403 ? "forbidden" : answer.status === 404 ? "missing" : "broken", { id: answer.headers.get("X-Request-Id") ?? "" }));
  }

  function gate(html) {
    const dialog = showDialog(`<dialog class="t-dialog" data-keep aria-labelledby="dialog-h">${html}</dialog>`);
    enliven(dialog);
    let kept = false;
    dialog.addEventListener("submit", async (event) => {
      event.preventDefault();
      event.stopPropagation();
      const data = new FormData(event.target);
      data.set("to", to.dataset.lane);
      const answer = await request(url, { method: "POST", body: data });
      if (answer.status === 422) {
        const said = await answer.clone().json();
        if (said.dialog) {
          const holder = document.createElement("template");
          holder.innerHTML = said.dialog;
          dialog.replaceChildren(holder.content);
          enliven(dialog);
          dialog.querySelector("[aria-invalid=true], input:not([type=hidden])")?.focus();
          return;
        }
      }
      kept = true;
      dialog.close("done");
      await settle(answer);
    });
    dialog.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) dialog.querySelector("form").requestSubmit();
    });
    dialog.addEventListener("click", (event) => event.target.closest('[data-do="dialog-close"]') && dialog.close("cancel"));
    dialog.addEventListener("close", () => !kept && putBack(""));
  }
}

/** Keep the way back before a card leaves its place. */
function way(card) {
  const [parent, next] = [card.parentElement, card.nextElementSibling];
  return () => (next?.isConnected && next.parentElement === parent ? next.before(card) : parent.append(card));
}

function start() {
  const board = document.querySelector("[data-board]");
  if (!board || board.dataset.ready) return;
  board.dataset.ready = "1";
  const shut = JSON.parse(sessionStorage.getItem(shutKey()) ?? "{}");
  for (const lane of board.querySelectorAll("[data-lane]")) {
    if (lane.dataset.lane in shut) setShut(lane, shut[lane.dataset.lane], false);
    if (board.dataset.canMove !== "1") continue;
    let home = null;
    new Sortable(lane.querySelector("[data-cards]"), {
      group: "cards",
      sort: false,
      draggable: ".t-card",
      filter: "button, .t-lane-more",
      preventOnFilter: false,
      animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 120,
      delay: 180,
      delayOnTouchOnly: true,
      ghostClass: "is-held",
      scroll: true,
      bubbleScroll: true,
      onStart: ({ item }) => (home = way(item)),
      onMove: ({ to }) => {
        for (const each of board.querySelectorAll(".is-target")) each.classList.remove("is-target");
        to.classList.add("is-target");
      },
      onEnd: ({ item, from, to }) => {
        for (const each of board.querySelectorAll(".is-target")) each.classList.remove("is-target");
        if (from !== to) put(item, laneOf(to), laneOf(from), home);
      },
    });
  }
}

function setShut(lane, shut, keep = true) {
  lane.classList.toggle("is-shut", shut);
  if (!shut) for (const more of lane.querySelectorAll(".t-lane-more")) htmx.trigger(more, "open-lane");
  if (!keep) return;
  const all = JSON.parse(sessionStorage.getItem(shutKey()) ?? "{}");
  sessionStorage.setItem(shutKey(), JSON.stringify({ ...all, [lane.dataset.lane]: shut }));
}

let moving = null;
document.addEventListener("click", (event) => {
  const doer = event.target.closest("[data-do]");
  if (!doer) return;
  if (doer.dataset.do === "lane-shut" || doer.dataset.do === "lane-open") {
    const lane = laneOf(doer);
    setShut(lane, doer.dataset.do === "lane-shut");
    lane.querySelector(doer.dataset.do === "lane-shut" ? ".t-shut" : '[data-do="lane-shut"]').focus();
  } else if (doer.dataset.do === "card-move") {
    const menu = document.getElementById("move-menu");
    moving = doer.closest(".t-card");
    for (const item of menu.querySelectorAll("[data-to]")) item.disabled = item.dataset.to === laneOf(moving).dataset.lane;
    menu.showPopover();
    place(menu, doer);
    menu.querySelector("[data-to]:not([disabled])")?.focus();
  } else if (doer.dataset.do === "card-to" && moving) {
    const [from, to] = [laneOf(moving), document.querySelector(`[data-lane="${CSS.escape(doer.dataset.to)}"]`)];
    const home = way(moving);
    document.getElementById("move-menu").hidePopover();
    setShut(to, false);
    to.querySelector("[data-cards]").prepend(moving);
    moving.scrollIntoView({ block: "nearest", inline: "nearest" });
    put(moving, to, from, home);
    moving = null;
  }
});
document.addEventListener("trellis:list", start);
start();
