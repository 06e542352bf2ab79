// The board: cards are moved at once, and put back with the reason when the server refuses.
import Sortable from "sortablejs";
import back from "icon:arrow-back-up";
import { move } from "../forms/moves.js";
import { place } from "../menus.js";
import { htmx } from "../htmx.js";
import { icon } from "../lib/icon.js";
import { request } from "../lib/http.js";
import { toast } from "../toasts.js";
import { base, list, query } from "./nav.js";

const laneOf = (element) => element.closest("[data-lane]");
const laneAt = (key) => document.querySelector(`[data-lane="${CSS.escape(key)}"]`);
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
    const lane = laneAt(key);
    if (!lane) continue;
    for (const number of lane.querySelectorAll("[data-lane-count]")) number.textContent = head.count;
    lane.querySelector("[data-lane-sum]").innerHTML = head.sum;
  }
}

/** Put a card into a column; the page shows it at once, the server has the last word. `home` takes it back. */
async function put(card, to, from, home) {
  const url = `${base()}/${card.dataset.id}/put?${query()}`;
  card.classList.remove("is-refused");
  card.classList.add("is-held");
  card.querySelector(".t-card-why")?.remove();
  count(from, -1);
  count(to, 1);
  const { moved, reason, data } = await move(url, { to: to.dataset.lane, from: from.dataset.lane }, card.querySelector("a"));
  card.classList.remove("is-held");
  if (moved) {
    const fresh = renew(card, data.card);
    toast(data.toast, { undo: { run: () => send(fresh, from) } });
    return heads();
  }
  count(from, 1);
  count(to, -1);
  if (data?.card) {
    // somebody was faster: the card goes where it is by now
    const fresh = renew(card, data.card);
    laneAt(data.now)?.querySelector("[data-cards]").prepend(fresh);
    tell(fresh, reason);
    return heads();
  }
  home();
  if (reason) tell(card, data.reason ?? reason);
}

/** The card as the server draws it, in the place of the old one; it is on the board once. */
function renew(card, html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  const fresh = holder.content.firstElementChild;
  const focused = card.contains(document.activeElement);
  // a list that was read anew meanwhile has another element for it
  (card.isConnected ? card : document.querySelector(`.t-card[data-id="${fresh.dataset.id}"]`))?.replaceWith(fresh);
  for (const other of document.querySelectorAll(`.t-card[data-id="${fresh.dataset.id}"]`)) if (other !== fresh) other.remove();
  if (focused) fresh.querySelector("a")?.focus();
  return fresh;
}

/** Say at the card why it is where it is. */
function tell(card, reason) {
  card.classList.add("is-refused");
  const why = document.createElement("p");
  why.className = "t-card-why";
  why.setAttribute("role", "alert");
  const words = document.createElement("span");
  words.textContent = reason;
  why.append(icon(back), words);
  card.append(why);
  card.scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** Send a card to a column by something else than the pointer. */
function send(card, to) {
  const from = laneOf(card);
  const home = way(card);
  to.querySelector("[data-cards]").prepend(card);
  if (!to.classList.contains("is-shut")) card.scrollIntoView({ block: "nearest", inline: "nearest" });
  return put(card, to, from, home);
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
    const options = {
      group: "cards",
      sort: false,
      draggable: ".t-card:not(.is-held)", // one that is on its way stays where it is until the server has answered
      forceFallback: true, // the browser's own drag forgets the card when the board scrolls under it, and takes no wheel
      fallbackOnBody: true,
      forceAutoScrollFallback: true, // the browser itself scrolls only the column
      touchStartThreshold: 6,
      scrollSensitivity: 72,
      scrollSpeed: 16,
      filter: "button, .t-lane-more",
      preventOnFilter: false,
      animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 120,
      delay: 180,
      delayOnTouchOnly: true,
      ghostClass: "is-lifted",
      scroll: true,
      bubbleScroll: true,
      onStart: ({ item }) => {
        home = way(item);
        board.classList.add("is-dragging");
        // where the hand is now counts, not where it was when that was last looked at
        addEventListener("pointerup", () => Sortable.active?._emulateDragOver(), { capture: true, once: true });
      },
      onMove: ({ to }) => {
        for (const each of board.querySelectorAll(".is-target")) each.classList.remove("is-target");
        to.classList.add("is-target");
      },
      onEnd: ({ item, from, to }) => {
        board.classList.remove("is-dragging");
        for (const each of board.querySelectorAll(".is-target")) each.classList.remove("is-target");
        if (from === to) return;
        const lane = laneOf(to);
        // a collapsed column takes cards, too: they go into its list, which stays shut
        if (to.matches(".t-shut")) lane.querySelector("[data-cards]").prepend(item);
        put(item, lane, laneOf(from), home);
      },
    };
    new Sortable(lane.querySelector("[data-cards]"), options);
    new Sortable(lane.querySelector(".t-shut"), options);
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
    if (moving.classList.contains("is-held")) return;
    for (const item of menu.querySelectorAll("[data-to]")) item.disabled = item.dataset.to === laneOf(moving).dataset.lane;
    menu.showPopover();
    place(menu, doer);
    menu.querySelector("[data-to]:not([disabled])")?.focus();
  } else if (doer.dataset.do === "card-to" && moving) {
    const to = laneAt(doer.dataset.to);
    document.getElementById("move-menu").hidePopover();
    setShut(to, false);
    send(moving, to);
    moving = null;
  }
});
document.addEventListener("htmx:afterSwap", () => {
  // a column that is read on may bring a card that was moved there meanwhile
  const seen = new Set();
  for (const card of document.querySelectorAll("[data-board] .t-card")) {
    if (seen.has(card.dataset.id)) card.remove();
    seen.add(card.dataset.id);
  }
});
document.addEventListener("trellis:list", start);
start();
