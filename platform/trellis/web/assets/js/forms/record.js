// The record page: tabs, folding sections, the composer and the timeline's filter, previous and next in the list.
import { $, $$, ask, enliven, firstControl, load, nodes, onContent, once } from "./util.js";
import { toast } from "../toasts.js";
import { openQuick, refuse } from "./quick.js";
import { redraw } from "./moves.js";

const NARROW = matchMedia("(max-width: 767px)");

onContent((root) => {
  for (const list of $$("[role=tablist]", root)) {
    if (!once(list, "tabs")) continue;
    const tabs = $$("[role=tab]", list);
    const choose = (tab, focus) => {
      for (const other of tabs) {
        const on = other === tab;
        other.setAttribute("aria-selected", on ? "true" : "false");
        other.tabIndex = on ? 0 : -1;
        const pane = document.getElementById(other.getAttribute("aria-controls"));
        if (pane) pane.hidden = !on;
      }
      if (focus) tab.focus();
      tab.scrollIntoView({ block: "nearest", inline: "nearest" });
      const pane = document.getElementById(tab.getAttribute("aria-controls"));
      if (pane?.dataset.load && once(pane, "load")) load(pane.dataset.load, pane);
    };
    list.addEventListener("click", (event) => {
      const tab = event.target.closest("[role=tab]");
      if (!tab) return;
      choose(tab);
      // coming back, and after reading the page anew, one finds the list that one was in
      if (list.matches("[data-counts]")) history.replaceState(history.state, "", tab === tabs[0] ? location.pathname + location.search : `#${tab.id}`);
    });
    const asked = list.matches("[data-counts]") && location.hash.startsWith("#tab-") && tabs.find((tab) => `#${tab.id}` === location.hash);
    if (asked) choose(asked);
    list.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const end = { Home: 0, End: tabs.length - 1 }[event.key];
      if (step === undefined && end === undefined) return;
      event.preventDefault();
      const shown = tabs.filter((tab) => !tab.hidden);
      const dir = document.documentElement.dir === "rtl" ? -1 : 1;
      choose(end !== undefined ? tabs[end] : shown[(shown.indexOf(document.activeElement) + step * dir + shown.length) % shown.length], true);
    });
  }
  for (const pane of $$("[data-load-now]", root)) {
    if (once(pane, "load")) load(pane.dataset.load, pane);
  }
  for (const list of $$("[data-counts]", root)) {
    if (once(list, "counts")) count(list);
  }
  for (const fold of $$(".t-fold", root)) {
    if (!once(fold, "fold")) continue;
    // on a phone the way to what was said and done is not past every field: the first section stands open
    if (NARROW.matches && root === document.body && fold.closest(".t-rec-left") && fold !== $(".t-rec-left .t-fold")) shut(fold, true);
    fold.addEventListener("click", () => shut(fold, fold.getAttribute("aria-expanded") === "true"));
  }
  for (const filter of $$("[data-stream-filter]", root)) {
    if (!once(filter, "kinds")) continue;
    filter.addEventListener("click", (event) => {
      const button = event.target.closest("[data-kind]");
      if (!button) return;
      for (const other of $$("[data-kind]", filter)) {
        other.classList.toggle("is-on", other === button);
        other.setAttribute("aria-pressed", other === button ? "true" : "false");
      }
      const kind = button.dataset.kind;
      const stream = filter.closest(".t-stream-in");
      for (const item of $$("li[data-kind]", stream)) item.hidden = Boolean(kind) && item.dataset.kind !== kind;
      for (const day of $$("[data-day]", stream)) day.hidden = !$$("li[data-kind]", day).some((item) => !item.hidden);
    });
  }
});

function shut(fold, on) {
  fold.setAttribute("aria-expanded", on ? "false" : "true");
  const body = document.getElementById(fold.getAttribute("aria-controls"));
  if (body) body.hidden = on;
}

// on a phone, from the head to the notes and calls
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-do=timeline]")) return;
  const tab = document.getElementById("tab-timeline");
  tab.click();
  tab.closest(".t-bar").scrollIntoView({ block: "start" });
});

async function count(list) {
  const { ok, data } = await ask(list.dataset.counts, { accept: "application/json" });
  if (!ok) return;
  for (const [key, n] of Object.entries(data)) {
    const at = $(`[data-count="${CSS.escape(key)}"]`, list);
    if (at) at.textContent = n;
  }
}

// a button that posts and then shows the page as it is now: delete, restore, unlink, follow
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-post]");
  if (!button) return;
  event.preventDefault();
  if (button.dataset.busy) return;
  button.dataset.busy = "1";
  const body = new FormData();
  for (const [name, value] of Object.entries(JSON.parse(button.dataset.values ?? "{}"))) body.append(name, value);
  const answer = await ask(button.dataset.post, { method: "POST", body, accept: "application/json, text/html" });
  delete button.dataset.busy;
  if (!answer.ok) {
    if (answer.data?.message) toast(answer.data.message, { kind: "error" });
    else refuse(answer.status, answer.answer);
    return;
  }
  if (answer.data?.location) location.href = answer.data.location;
  else {
    const pane = button.closest("[data-load]");
    const undo = answer.data?.undo;
    // in a list beside the record: what is taken back is drawn there again
    const back = undo && pane ? { run: async () => (await post(undo.url, undo.values ?? {})) && changed(pane) } : undo;
    if (answer.data?.toast) toast(answer.data.toast, { undo: back });
    changed(pane);
  }
});

// the composer: another kind draws its fields, saving draws the timeline anew
document.addEventListener("click", async (event) => {
  const kind = event.target.closest("[data-compose]");
  if (!kind) return;
  const composer = kind.closest("[data-composer]");
  const { ok, data, status } = await ask(kind.dataset.compose);
  if (!ok) return refuse(status);
  for (const other of $$("[data-compose]", composer)) {
    other.classList.toggle("is-on", other === kind);
    other.setAttribute("aria-pressed", other === kind ? "true" : "false");
  }
  const body = $("[data-composer-body]", composer);
  body.replaceChildren(nodes(data));
  enliven(body);
  firstControl(body)?.focus();
});

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-composer-form]");
  if (!form) return;
  event.preventDefault();
  event.stopPropagation();
  if (form.dataset.busy) return;
  form.dataset.busy = "1";
  const answer = await ask(form.action, { method: "POST", body: new FormData(form), accept: "application/json, text/html" });
  delete form.dataset.busy;
  const pane = form.closest("[data-load]");
  if (answer.ok) {
    if (answer.data.toast) toast(answer.data.toast);
    if (pane) load(pane.dataset.load, pane);
    redraw();
  } else if (answer.status === 422) {
    const body = form.closest("[data-composer-body]");
    body.replaceChildren(nodes(answer.data));
      enliven(body);
    $("[aria-invalid=true]", body)?.focus();
  } else refuse(answer.status, answer.answer);
}, true);

document.addEventListener("trellis:changed", () => {
  const pane = $("#pane-timeline");
  if (pane?.dataset.load && pane.dataset.onload && !pane.contains(document.activeElement)) load(pane.dataset.load, pane);
});
document.addEventListener("trellis:refresh", () => {
  redraw();
  for (const list of $$("[data-counts]")) count(list);
});
document.addEventListener("trellis:saved", async (event) => {
  const pane = event.target.closest?.("[data-load]");
  if (!pane) return;
  const join = event.target.dataset.thenLink;
  if (join && !(await post(join, { target: event.detail.ref.id }))) return;
  load(pane.dataset.load, pane);
  document.body.dispatchEvent(new CustomEvent("trellis:refresh"));
});

function changed(pane) {
  document.body.dispatchEvent(new CustomEvent("trellis:refresh", { bubbles: true }));
  if (pane) load(pane.dataset.load, pane);
}

/** Post values; what is missing yet is asked for in a dialog. Resolves to whether it was done. */
async function post(url, values) {
  const body = new FormData();
  for (const [name, value] of Object.entries(values)) body.append(name, value);
  const answer = await ask(url, { method: "POST", body, accept: "application/json, text/html" });
  if (answer.status === 422 && typeof answer.data === "string") {
    return new Promise((resolve) => {
      openQuick(url, { html: answer.data, done: () => resolve(true) }).then((dialog) => dialog?.addEventListener("close", () => setTimeout(resolve, 0, false)));
    });
  }
  if (answer.ok && answer.data?.toast) toast(answer.data.toast);
  if (!answer.ok) {
    if (answer.data?.message) toast(answer.data.message, { kind: "error" });
    else refuse(answer.status, answer.answer);
  }
  return answer.ok;
}

// the picker above a many-to-many list joins what is picked
document.addEventListener("change", async (event) => {
  const box = event.target.closest?.("[data-link-to]");
  if (!box || !event.target.value) return;
  const pane = box.closest("[data-load]");
  if (await post(box.dataset.linkTo, { target: event.target.value })) {
    load(pane.dataset.load, pane);
    document.body.dispatchEvent(new CustomEvent("trellis:refresh"));
  } else { // refused: what was picked is not linked, and does not look so
    event.target.value = "";
    event.target.dispatchEvent(new Event("picker:draw"));
  }
});

document.addEventListener("click", async (event) => {
  const more = event.target.closest("[data-more]");
  if (!more) return;
  const { ok, data } = await ask(more.dataset.more);
  if (ok) more.closest("tr").replaceWith(nodes(data));
});

// the list one came from: its rows were kept by the list page as `trellis:row-ids:<entity>`
onContent((root) => {
  const nav = $("[data-siblings]", root);
  if (!nav || !once(nav, "siblings")) return;
  let kept = null;
  try {
    kept = JSON.parse(sessionStorage.getItem(`trellis:rows:${nav.dataset.siblings}`) ?? "null");
  } catch { return; }
  const at = kept?.ids?.indexOf(nav.dataset.id) ?? -1;
  if (at < 0) return;
  nav.hidden = false;
  $("[data-at]", nav).textContent = (nav.dataset.of ?? "{n} of {all}").replace("{n}", String(at + 1)).replace("{all}", kept.total ?? String(kept.ids.length));
  const go = (link, id) => {
    if (id) link.href = nav.dataset.address.replace("__id__", id);
    else { link.removeAttribute("href"); link.setAttribute("aria-disabled", "true"); }
  };
  go($("[data-previous]", nav), kept.ids[at - 1]);
  go($("[data-next]", nav), kept.ids[at + 1]);
  const crumb = $("[data-crumb-view]");
  if (crumb && kept.url && kept.label) {
    crumb.href = kept.url;
    crumb.textContent = kept.label;
    crumb.closest("[data-crumb]").hidden = false;
  }
});

/** The name of a view on its tab, without the count beside it. */
function viewName(tab) {
  const copy = tab?.cloneNode(true);
  for (const extra of copy ? $$(".t-tab-n, .t-count, svg", copy) : []) extra.remove();
  return copy?.textContent.trim() ?? "";
}

// a list leaves behind which records it showed, in their order, for previous and next on the record page
addEventListener("pagehide", () => {
  const list = $("#list[data-entity]");
  if (!list) return;
  const ids = [...new Set($$("[data-id]", list).map((row) => row.dataset.id).filter(Boolean))];
  if (!ids.length) return;
  const kept = {
    ids,
    total: list.dataset.count ? list.dataset.count + (list.dataset.capped === "1" ? "+" : "") : String(ids.length),
    url: location.href,
    label: viewName($(".t-tab[aria-current]")),
  };
  try {
    sessionStorage.setItem(`trellis:rows:${list.dataset.entity}`, JSON.stringify(kept));
  } catch { /* full or forbidden: there is no previous and next then */ }
});
