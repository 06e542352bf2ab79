// Moving a record to another stage: at once where the rules allow it, by a dialog where the stage asks for something.
import { $, $$, ask, onContent, once } from "./util.js";
import { toast } from "../toasts.js";
import { openQuick, refuse } from "./quick.js";
import { refresh } from "./inline.js";

/**
 * Move. Resolves with {moved: true} or {moved: false, reason}. A gate opens its dialog and resolves when that is done.
 * The board uses it as well as the path on the record page.
 */
export async function move(url, stage, version, opener = document.activeElement) {
  const body = new FormData();
  body.append("to", stage);
  if (version) body.append("version", version);
  const answer = await ask(url, { method: "POST", body, accept: "application/json, text/html" });
  if (answer.ok) return { moved: true, data: answer.data };
  if (answer.status === 422 && typeof answer.data === "string") {
    return new Promise((resolve) => {
      openQuick(url, {
        opener, html: answer.data, done: (data) => resolve({ moved: true, data }),
      }).then((dialog) => dialog?.addEventListener("close", () => setTimeout(() => resolve({ moved: false, reason: "" }), 0)));
    });
  }
  if (answer.data?.message) return { moved: false, reason: answer.data.message };
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
  for (const path of $$("[data-path]", root)) {
    if (!once(path, "path")) continue;
    const now = $(".is-now", path);
    if (now && path.scrollWidth > path.clientWidth + 40) path.scrollLeft = now.offsetLeft - (path.clientWidth - now.offsetWidth) / 2;
    path.addEventListener("click", async (event) => {
      const step = event.target.closest("[data-stage]");
      if (!step || step.classList.contains("is-now") || path.dataset.busy) return;
      path.dataset.busy = "1";
      step.classList.add("is-going");
      const { moved, reason } = await move(path.dataset.path, step.dataset.stage, path.dataset.version, step);
      delete path.dataset.busy;
      step.classList.remove("is-going");
      if (reason) toast(reason, { kind: "error" });
      if (moved) {
        await redraw();
        document.body.dispatchEvent(new CustomEvent("trellis:changed", { bubbles: true }));
      }
    });
  }
});
