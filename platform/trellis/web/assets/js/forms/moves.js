// Moving a record to another stage: at once where the rules allow it, by the gate's dialog where the stage asks for something.
import { $, $$, ask, onContent, once } from "./util.js";
import { toast } from "../toasts.js";
import { openQuick, refuse } from "./quick.js";
import { refresh } from "./inline.js";

/**
 * Move. Resolves with {moved: true, data}, {moved: false} after a dialog that was closed, or {moved: false, reason, data}.
 * The board uses it as well as the path on the record page. `values` has `to`, and `from`: where the page shows the record.
 */
export async function move(url, values, opener = document.activeElement) {
  const body = new FormData();
  for (const [name, value] of Object.entries(values)) if (value !== undefined) body.append(name, value);
  const answer = await ask(url, { method: "POST", body, accept: "application/json, text/html" });
  if (answer.ok) return { moved: true, data: answer.data };
  if (answer.data?.location) {
    location.href = answer.data.location; // the way there is a page of its own: a conversion
    return { moved: false, reason: "" };
  }
  if (answer.status === 422 && typeof answer.data === "string") {
    return new Promise((resolve) => {
      openQuick(url, {
        opener,
        quiet: true, // whoever asked for the move says what became of it
        html: answer.data,
        done: (data) => resolve({ moved: true, data }),
        refused: (data) => resolve({ moved: false, reason: data.message, data }),
      }).then((dialog) => dialog?.addEventListener("close", () => setTimeout(() => resolve({ moved: false, reason: "" }), 0)));
    });
  }
  if (answer.data?.message) return { moved: false, reason: answer.data.message, data: answer.data };
  refuse(answer.status, answer.answer);
  return { moved: false, reason: "" };
}

/** Draw the record page's parts anew. */
export async function redraw() {
  const page = $("[data-record]");
  if (!page) return;
  const { ok, data } = await ask(page.dataset.record);
  if (ok) refresh(data);
}

onContent((root) => {
  for (const box of $$("#rec-path", root.parentElement ?? root)) {
    if (!once(box, "path")) continue;
    const path = $("[data-path]", box);
    const now = $(".is-now", path);
    if (now && path.scrollWidth > path.clientWidth + 40) path.scrollLeft = now.offsetLeft - (path.clientWidth - now.offsetWidth) / 2;
    box.addEventListener("click", (event) => {
      const step = event.target.closest("[data-stage]");
      if (!step || step.classList.contains("is-now")) return;
      step.closest("[popover]")?.hidePopover();
      go(path, step.dataset.stage, { step, pipeline: step.dataset.pipeline });
    });
  }
});

/** Move the record of the page; within a pipeline the toast takes it back, by the same rules. */
async function go(path, to, { step, pipeline, back = false } = {}) {
  if (path.dataset.busy) return;
  path.dataset.busy = "1";
  step?.classList.add("is-going");
  const before = path.dataset.now;
  const { moved, reason, data } = await move(path.dataset.path, { to, pipeline, from: before }, step);
  delete path.dataset.busy;
  step?.classList.remove("is-going");
  if (reason) toast(reason, { kind: "error" });
  const undo = before && !pipeline && !back ? { run: () => go($("[data-path]"), before, { back: true }) } : null;
  if (moved) toast(data.toast, { undo });
  if (moved || data?.now !== undefined) {
    await redraw();
    document.body.dispatchEvent(new CustomEvent("trellis:changed", { bubbles: true }));
  }
}
