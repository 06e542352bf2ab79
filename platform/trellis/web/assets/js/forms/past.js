// The record as it was: a slider over the moments at which it changed. Without this script its arrows are links.
import { $, ask, enliven, later, nodes, onContent, once } from "./util.js";
import { refuse } from "./quick.js";
import { toast } from "../toasts.js";

let round = 0;

async function show(pane, at, focus) {
  const mine = (round += 1);
  const { ok, data, status, answer } = await ask(`${pane.dataset.past}?at=${encodeURIComponent(at)}`);
  if (mine !== round) return;
  if (!ok) return refuse(status, answer);
  const fresh = nodes(data);
  const holder = document.getElementById("rec-left-in");
  if (!holder || !$("[data-past]", fresh)) return;
  history.replaceState(history.state, "", `${pane.dataset.page}?at=${encodeURIComponent(at)}`);
  holder.replaceWith(fresh);
  const now = document.getElementById("rec-left-in");
  enliven(now);
  $(focus, now)?.focus({ preventScroll: true });
}

onContent((root) => {
  const pane = root.matches?.("[data-past]") ? root : $("[data-past]", root);
  if (!pane || !once(pane, "past")) return;
  const range = $("input[type=range]", pane);
  const option = (index) => $(`datalist option[value="${index}"]`, pane);
  const go = later(160, (index, focus) => show(pane, option(index).dataset.at, focus));
  range.addEventListener("input", () => {
    const at = option(range.value);
    $("[data-past-when]", pane).textContent = at.dataset.text;
    $("[data-past-who]", pane).textContent = at.dataset.who;
    range.setAttribute("aria-valuetext", at.dataset.text);
    go(range.value, "input[type=range]");
  });
  pane.addEventListener("click", (event) => {
    const to = event.target.closest("[data-past-go]");
    if (!to || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    go(to.dataset.pastGo, `[aria-label="${CSS.escape(to.getAttribute("aria-label"))}"]:not([aria-disabled]), input[type=range]`);
  });
  pane.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    location.href = $("[data-past-now]", pane).href;
  });
});

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-past-restore]");
  if (!form) return;
  event.preventDefault();
  if (form.dataset.busy) return;
  form.dataset.busy = "1";
  const answer = await ask(form.action, { method: "POST", body: new FormData(form), accept: "application/json, text/html" });
  delete form.dataset.busy;
  if (answer.ok && answer.data?.location) location.href = answer.data.location;
  else if (answer.data?.message) toast(answer.data.message, { kind: "error" });
  else refuse(answer.status, answer.answer);
});
