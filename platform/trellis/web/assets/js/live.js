// What is new for the person shows at once: one tab of the browser listens for all of them, the others hear it from that one.
// Where nothing listens (no free place on the server, no locks in the browser) the bell still asks every minute.
import { htmx } from "./htmx.js";

const LATER = 5 * 60_000; // until it is tried again where the server has no place
const JUST_NOW = 5_000; // the bell has asked when the page was loaded

const bell = () => document.querySelector(".t-bell-n[data-stream]");
const refresh = () => {
  // the bell of the other width is not drawn, and asks for itself when it comes into sight
  for (const each of document.querySelectorAll("[data-live]")) if (each.parentElement.getClientRects().length) htmx.trigger(each, "notices");
};

function listen(address, tell) {
  return new Promise((done) => {
    const source = new EventSource(address);
    source.addEventListener("notices", tell);
    source.addEventListener("error", () => {
      if (source.readyState !== EventSource.CLOSED) return; // the browser connects again by itself
      setTimeout(done, LATER);
    });
    addEventListener("pagehide", () => { source.close(); done(); }, { once: true });
  });
}

async function begin() {
  const address = bell()?.dataset.stream;
  if (!address || !navigator.locks || !("BroadcastChannel" in window)) return;
  const others = new BroadcastChannel(`trellis${address}`);
  others.addEventListener("message", refresh);
  const began = performance.now();
  let isFirst = true;
  const tell = () => {
    // a stream begins with one event for what came while nobody listened: nothing new to a page that has just asked
    const isKnown = isFirst && performance.now() - began < JUST_NOW;
    isFirst = false;
    if (isKnown) return;
    refresh();
    others.postMessage("notices");
  };
  for (;;) await navigator.locks.request(`trellis${address}`, () => listen(address, tell));
}

begin();
