// What was typed is kept in this browser until it is saved or thrown away: also over an expired session or a crash.
import { $, ask, later, make } from "./util.js";
import { swapForm } from "./form.js";

const DAYS = 7;
const key = (form) => `trellis:draft:${form.dataset.draft}`;

function entries(form) {
  return [...new FormData(form)].filter(([name, value]) => typeof value === "string" && name !== "csrf_token");
}

const write = later(600, (form) => {
  if (!form.isConnected || form.formOf?.leaving) return;
  try {
    if (form.formOf && !form.formOf.dirty) localStorage.removeItem(key(form));
    else {
      localStorage.setItem(key(form), JSON.stringify({ at: Date.now(), entries: entries(form) }));
      const note = $("[data-draft-note]");
      if (note) note.textContent = note.dataset.draftNote;
    }
  } catch { /* storage is full or forbidden: the page still holds what was typed */ }
});

/** Keep what the form holds; at once when something has just gone wrong. */
export function keep(form, now = false) {
  if (!form.dataset.draft) return;
  if (now) localStorage.setItem(key(form), JSON.stringify({ at: Date.now(), entries: entries(form) }));
  else write(form);
}

export function forget(form) {
  write.cancel();
  if (form.dataset.draft) localStorage.removeItem(key(form));
}

/** Bring a kept draft back: the server draws the form with it, and says so above it. */
export async function offer(form) {
  let draft = null;
  try {
    draft = JSON.parse(localStorage.getItem(key(form)) ?? "null");
  } catch { return; }
  if (!draft || form.dataset.refused || form.dataset.restored) return;
  if (Date.now() - draft.at > DAYS * 86_400_000) return forget(form);
  if (JSON.stringify(draft.entries) === JSON.stringify(entries(form))) return;
  const body = new FormData();
  for (const [name, value] of draft.entries) body.append(name, value);
  body.append("_draw", "1");
  const { ok, data } = await ask(form.action, { method: "POST", body });
  if (!ok || typeof data !== "string" || form.formOf?.dirty) return;
  const fresh = swapForm(form, data);
  if (!fresh) return;
  fresh.dataset.restored = "1";
  const words = fresh.dataset;
  const when = new Date(draft.at).toLocaleString(document.documentElement.lang || undefined, { dateStyle: "medium", timeStyle: "short" });
  const bar = make("div", { class: "t-draft", role: "status" },
    make("span", { class: "t-grow" }, `${words.sayDraft ?? "What you typed is back:"} ${when}`),
    make("button", { type: "button", class: "btn btn-quiet btn-sm", onclick: () => { fresh.formOf.leaving = true; forget(fresh); location.reload(); } }, words.sayDiscard ?? "Discard"));
  fresh.prepend(bar);
}
