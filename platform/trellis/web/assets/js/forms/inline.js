// Editing one field in place, on the record page and in lists.
//   <button class="t-val-btn" data-edit="/e/deal/<id>/field/amount" data-version="3">…</button>
// or a table cell with data-edit (Enter and double-click are the list's). The editor saves on leave and on Enter, Esc
// puts the old value back, a refusal stays at the field. When it is saved the answer's parts replace those on the page.
import { $, $$, ask, enliven, firstControl, later, nodes } from "./util.js";
import { refuse } from "./quick.js";

let open = null;

/** Open the editor at `holder`; resolves when it is closed, with true when something was saved. */
export async function edit(holder) {
  const url = holder.dataset.edit;
  if (open) await open.finish();
  // saving the other field may have drawn this one anew
  if (!holder.isConnected) holder = $(`[data-edit="${CSS.escape(url)}"]`) ?? holder;
  holder.setAttribute("aria-busy", "true");
  // a cell gets the editor and the answer that fit into a list
  const { ok, data, status } = await ask(holder.matches("td, [role=gridcell]") ? `${url}${url.includes("?") ? "&" : "?"}in=list` : url);
  holder.removeAttribute("aria-busy");
  if (!ok) return refuse(status);
  return new Promise((resolve) => { open = new Editor(holder, data, resolve); });
}

class Editor {
  constructor(holder, html, resolve) {
    this.holder = holder;
    this.resolve = resolve;
    this.url = holder.dataset.edit;
    this.shown = holder.closest(".t-val-split") ?? holder;
    this.cell = holder.matches("td, [role=gridcell]");
    this.box = document.createElement("div");
    this.box.className = this.cell ? "t-edit t-edit-in" : "t-edit-in";
    if (this.cell) {
      this.kept = [...holder.childNodes];
      holder.classList.add("is-edit");
      holder.replaceChildren(this.box);
    } else this.shown.replaceWith(this.box);
    this.fill(html);
    this.leave = later(80, () => {
      if (!this.done && !this.box.contains(document.activeElement) && !$("dialog[open]")) this.save();
    });
    this.box.addEventListener("focusout", () => this.leave());
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.box.addEventListener("submit", (event) => { event.preventDefault(); event.stopPropagation(); this.save(); });
    this.box.addEventListener("click", (event) => {
      if (event.target.closest("[data-cancel]")) this.cancel();
      const take = event.target.closest("[data-theirs]");
      if (take) this.cancel(true);
    });
    this.box.addEventListener("change", (event) => {
      // what is chosen is meant: no second step for a select, a switch or stars
      if (event.target.matches("select:not([multiple]), [type=checkbox], [type=radio]") && $("[data-instant]", this.box)) this.save();
    });
  }

  fill(html) {
    this.box.replaceChildren(nodes(html));
    enliven(this.box);
    this.form = $("form", this.box);
    this.before = this.picture();
    const at = firstControl(this.form);
    this.box.tabIndex = -1; // where a condition locks the field there is no control: Escape and leaving work all the same
    (at ?? this.box).focus();
    at?.select?.();
    if (at?.matches("[role=combobox]")) at.click();
    if (at?.tagName === "SELECT") { try { at.showPicker?.(); } catch { /* needs a gesture; it is in focus anyway */ } }
  }

  picture() {
    return JSON.stringify([...new FormData(this.form)].map(([name, value]) => [name, typeof value === "string" ? value : value.name]));
  }

  key(event) {
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.cancel();
    } else if (event.key === "Enter" && !event.isComposing) {
      if (event.target.tagName === "TEXTAREA" && !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      event.stopPropagation();
      this.save(true);
    }
  }

  async finish() {
    if (this.done) return;
    await this.save();
    if (!this.done) this.cancel();
  }

  save(refocus = false) {
    this.saving ??= this.send(refocus).finally(() => { this.saving = null; });
    return this.saving;
  }

  async send(refocus) {
    if (this.done) return;
    if (this.picture() === this.before && !$("[aria-invalid=true]", this.form)) return this.close(refocus);
    if (this.picture() === this.before) return;
    const answer = await ask(this.form.action, { method: "POST", body: new FormData(this.form), accept: "text/html" });
    if (answer.ok) return this.saved(answer, refocus);
    if (answer.status === 422 || answer.status === 409) return this.fill(answer.data);
    refuse(answer.status, answer.answer);
  }

  saved(answer, refocus) {
    this.done = true;
    open = null;
    const fragment = nodes(answer.data);
    if (this.cell) {
      this.holder.classList.remove("is-edit");
      this.holder.replaceChildren(fragment);
      enliven(this.holder);
      this.holder.dispatchEvent(new CustomEvent("trellis:cell", { bubbles: true, detail: { version: answer.answer.headers.get("X-Version") } }));
      if (refocus) this.holder.focus?.();
    } else {
      this.box.replaceWith(this.shown);
      refresh(fragment);
      if (refocus) this.again()?.focus();
      document.body.dispatchEvent(new CustomEvent("trellis:changed", { bubbles: true }));
    }
    this.resolve(true);
  }

  again() {
    return $(`[data-edit="${CSS.escape(this.url)}"]`);
  }

  cancel(theirs = false) {
    this.close(true);
    if (theirs) document.body.dispatchEvent(new CustomEvent("trellis:refresh", { bubbles: true }));
  }

  close(refocus) {
    this.done = true;
    open = null;
    if (this.cell) {
      this.holder.classList.remove("is-edit");
      this.holder.replaceChildren(...this.kept);
      if (refocus) this.holder.focus?.();
    } else {
      this.box.replaceWith(this.shown);
      if (refocus) this.holder.focus();
    }
    this.resolve(false);
  }
}

/** Replace the parts of the page that the answer carries, except where somebody is typing. */
export function refresh(fragment) {
  const source = typeof fragment === "string" ? nodes(fragment) : fragment;
  for (const part of $$("[data-part]", source)) {
    const here = document.getElementById(part.id);
    if (!here || $(".t-edit-in", here)) continue;
    if (here.isEqualNode(part)) continue;
    const fresh = part.cloneNode(true);
    for (const fold of $$('.t-fold[aria-expanded="false"]', here)) {
      const again = $(`.t-fold[aria-controls="${fold.getAttribute("aria-controls")}"]`, fresh);
      again?.setAttribute("aria-expanded", "false");
      const body = again && $(`#${CSS.escape(again.getAttribute("aria-controls"))}`, fresh);
      if (body) body.hidden = true;
    }
    here.replaceWith(fresh);
    enliven(fresh);
  }
}

document.addEventListener("click", (event) => {
  const holder = event.target.closest("button[data-edit]") ?? event.target.closest(".t-val-split")?.querySelector("[data-edit]");
  if (!holder || event.target.closest("a[href]")) return;
  event.preventDefault();
  edit(holder);
});
