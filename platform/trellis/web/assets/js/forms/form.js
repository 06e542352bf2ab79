// A form acts as one types: the server says what is shown, required, allowed and computed (form-state); ⌘/Ctrl Enter
// saves; a refusal comes back into the page with everything typed.
import { $, $$, ask, enliven, firstControl, later, make, nodes, onContent, once } from "./util.js";
import { refuse } from "./quick.js";
import { text } from "../lib/text.js";
import { toast } from "../toasts.js";
import { forget, keep, offer } from "./draft.js";

/** Put a server's answer about a form into it. */
export function applyState(form, state) {
  for (const [name, is] of Object.entries(state.fields ?? {})) {
    const field = $(`[data-field="${CSS.escape(name)}"]`, form);
    if (!field) continue;
    if (is.visible !== undefined) show(field, is.visible);
    if (is.required !== undefined) {
      const star = $(":scope > .t-label .t-req", field);
      if (star) star.hidden = !is.required;
    }
    if (is.readonly !== undefined && field.dataset.fixed !== "1") lock(field, is.readonly);
    if (is.choices) narrow(field, is.choices);
    if (is.unfit) takeOut(field, is.unfit);
    if (is.value !== undefined) fill(field, is.value);
    else if (is.default !== undefined && field.dataset.touched !== "1") fill(field, is.default);
  }
  for (const [name, text] of Object.entries(state.computed ?? {})) {
    for (const at of $$(`[data-computed="${CSS.escape(name)}"]`, form)) if (at.textContent !== text) at.textContent = text;
  }
  for (const [name, code] of Object.entries(state.currencies ?? {})) {
    const box = $(`[data-field="${CSS.escape(name)}"] [data-currency]`, form);
    if (!box) continue;
    box.dataset.currency = code;
    const unit = $(".t-money-unit", box);
    if (unit) unit.textContent = code;
  }
  if (state.alike) tellAlike(form, state.alike);
  for (const [key, visible] of Object.entries(state.sections ?? {})) {
    const section = $(`[data-section="${CSS.escape(key)}"]`, form);
    if (section) section.hidden = !visible;
  }
}

/** What the record looks like already, under the field that says so, before anything is saved. */
function tellAlike(form, told) {
  if ($(".t-summary .t-alike", form)) told = {}; // the refusal above lists them already
  for (const [name, html] of Object.entries(told)) {
    const field = $(`[data-field="${CSS.escape(name)}"]`, form);
    const there = field && $(":scope > [data-alike]", field);
    if (!field || there?.told === html) continue;
    there?.remove();
    const box = make("div", { class: "t-alike-live", "data-alike": "", role: "status" }, nodes(html));
    box.told = html;
    field.append(box);
  }
  for (const box of $$("[data-alike]", form)) if (!(box.closest("[data-field]").dataset.field in told)) box.remove();
}

function show(field, visible) {
  field.hidden = !visible;
  for (const control of $$("input:not([data-closed]), select, textarea, button", field)) {
    if (!visible && !control.disabled) { control.disabled = true; control.dataset.veiled = "1"; }
    else if (visible && control.dataset.veiled === "1") { control.disabled = false; delete control.dataset.veiled; }
  }
}

const OFF = "select, [type=checkbox], [type=radio], [type=file], [type=color]"; // what has no readOnly

function lock(field, readonly) {
  if (field.classList.contains("is-locked") === readonly) return;
  field.classList.toggle("is-locked", readonly);
  if (!readonly) {
    const mark = $(":scope > [data-closed]", field); // what could not be changed was not sent; now it can
    if (mark) { mark.disabled = false; delete mark.dataset.closed; }
    for (const fieldset of $$("fieldset", field)) fieldset.disabled = false;
  }
  for (const control of $$("input:not([type=hidden]), select, textarea", field)) {
    if (!control.matches(OFF)) control.readOnly = readonly;
    else if (control.dataset.veiled !== "1") control.disabled = readonly;
  }
  hold(field);
}

/** What is locked while one types still belongs to what is saved, but browsers send nothing of a disabled control. */
function hold(field) {
  for (const held of $$("[data-held]", field)) held.remove();
  if (!field.classList.contains("is-locked") || $(":scope > [data-closed]", field)) return;
  for (const control of $$(OFF, field)) {
    if (!control.name || control.matches("[type=checkbox], [type=radio]") && !control.checked) continue;
    const values = control.matches("select") ? [...control.selectedOptions].map((option) => option.value) : [control.value];
    if (control.type !== "file") for (const value of values) field.append(make("input", { type: "hidden", "data-held": true, name: control.name, value }));
  }
}

/** What does not fit any more, because something else was chosen above it, goes; the person is told. */
function takeOut(field, ids) {
  const select = $("[data-picker] select", field);
  const gone = [...(select?.selectedOptions ?? [])].filter((option) => ids.some((id) => option.value === id || option.value.endsWith(`:${id}`)));
  if (!gone.length) return;
  for (const option of gone) option.selected = false;
  if (!select.multiple) select.value = "";
  select.dispatchEvent(new Event("picker:draw"));
  select.dispatchEvent(new Event("change", { bubbles: true }));
  for (const option of gone) toast(text("unfit", { title: option.text.trim() }), { kind: "info" });
}

function narrow(field, choices) {
  const allowed = new Set(choices);
  for (const option of $$("select option", field)) {
    const off = option.value !== "" && !allowed.has(option.value);
    option.hidden = off;
    option.disabled = off && !option.selected;
  }
}

export function fill(field, value) {
  for (const [part, text] of Object.entries(value ?? {})) {
    const name = part ? `${field.dataset.field}.${part}` : field.dataset.field;
    const control = $(`[name="${CSS.escape(name)}"]`, field);
    if (!control) continue;
    if (control.type === "checkbox") control.checked = text === "true";
    else if (control.tagName === "SELECT" && text && typeof text === "object") {
      if (![...control.options].some((option) => option.value === text.value)) {
        const option = new Option(text.title, text.value);
        for (const key of ["initials", "color", "square"]) if (text[key]) option.dataset[key] = text[key];
        control.add(option);
      }
      control.value = text.value;
    } else control.value = typeof text === "object" && text ? text.value : (text ?? "");
    control.dispatchEvent(new Event("picker:draw"));
  }
}

/** What a person has touched keeps its value when defaults are found anew; the server is told with every request. */
export function touch(field) {
  if (field.dataset.touched === "1") return;
  field.dataset.touched = "1";
  const mark = document.createElement("input");
  mark.type = "hidden";
  mark.name = "_touched";
  mark.value = field.dataset.field;
  field.append(mark);
}

class Form {
  constructor(form) {
    this.form = form;
    for (const field of $$("[data-field].is-locked", form)) hold(field);
    for (const field of $$("[data-field][hidden]", form)) show(field, false); // what is not shown is not sent, from the start
    this.clean = this.picture();
    this.round = 0;
    this.state = later(220, () => this.ask());
    form.addEventListener("input", (event) => this.touched(event));
    form.addEventListener("change", (event) => this.touched(event));
    form.addEventListener("submit", (event) => this.submit(event));
    if (form.dataset.state) this.state();
    if (form.dataset.draft) offer(form);
    markTabs(form);
    if (form.dataset.refused) this.toErrors();
    else if (form.dataset.fresh) this.begin();
  }

  /** A new record: one types at once. A touch screen would raise its keyboard over the page, so it waits for a tap. */
  begin() {
    setTimeout(() => { // pickers are drawn by then
      const first = firstControl(this.form);
      if (first && document.activeElement === document.body && matchMedia("(pointer: fine)").matches) first.focus({ preventScroll: true });
    });
  }

  picture() {
    return JSON.stringify([...new FormData(this.form)].filter(([name]) => name !== "_touched").map(([name, value]) => [name, typeof value === "string" ? value : value.name]));
  }

  get dirty() {
    return !this.leaving && this.form.isConnected && this.picture() !== this.clean;
  }

  touched(event) {
    const field = event.target.closest("[data-field]");
    this.leaving = false;
    if (field) mended(field);
    if (event.isTrusted || event.type === "change") for (let at = field; at; at = at.parentElement?.closest("[data-field]")) touch(at);
    if (this.form.dataset.state) this.state();
    if (this.form.dataset.draft) keep(this.form);
  }

  async ask() {
    const round = (this.round += 1);
    const body = new FormData(this.form);
    for (const [name, value] of [...body]) if (value instanceof File) body.delete(name);
    const { ok, data } = await ask(this.form.dataset.state, { method: "POST", body, accept: "application/json" });
    if (ok && round === this.round) applyState(this.form, data);
  }

  async submit(event) {
    if (this.form.closest("dialog") || this.form.dataset.plain) return;
    event.preventDefault();
    if (this.form.dataset.busy) return;
    const body = new FormData(this.form, event.submitter); // before its button is disabled: that would not be sent
    this.busy(true);
    const answer = await ask(this.form.action, { method: "POST", body, accept: "application/json, text/html" });
    if (answer.ok) {
      this.leaving = true;
      forget(this.form);
      go(answer.data.location);
      return;
    }
    this.busy(false);
    if (answer.status === 422 || answer.status === 409) this.replace(answer.data);
    else {
      keep(this.form, true);
      if (answer.status === 401) this.leaving = true; // kept: nothing is lost by going to sign in
      refuse(answer.status, answer.answer);
    }
  }

  busy(on) {
    if (on) this.form.dataset.busy = "1";
    else delete this.form.dataset.busy;
    for (const button of $$(`button[type=submit][form="${this.form.id}"], #${this.form.id} button[type=submit]`)) button.disabled = on;
  }

  replace(html) {
    swapForm(this.form, html);
  }

  toErrors() {
    const wrong = $(".t-summary", this.form) ?? $("[aria-invalid=true]:not(.t-vh)", this.form);
    wrong?.scrollIntoView({ block: "center" });
    wrong?.focus({ preventScroll: true });
  }
}

/** To the page that follows; where one is there already it is read anew, in the tab that is open. */
function go(address) {
  const to = new URL(address, location.href);
  if (to.pathname + to.search === location.pathname + location.search) location.reload();
  else location.href = to;
}

/** What was said about a field is about what stood in it: it goes with the first change, and its line in the summary is struck. */
function mended(field) {
  const told = $$(":scope > .t-wrong", field);
  if (!told.length) return;
  const ids = new Set($$("[id]", field).map((one) => one.id));
  for (const one of told) one.remove();
  for (const one of $$(".is-wrong", field)) one.classList.remove("is-wrong");
  for (const one of $$("[aria-invalid]", field)) one.removeAttribute("aria-invalid");
  for (const link of $$(".t-summary a[href^='#']", field.closest("form"))) if (ids.has(link.hash.slice(1))) link.classList.add("is-mended");
  markTabs(field.closest("form"));
}

/** A form drawn anew shows the tab that was open; a tab that holds something wrong says so. */
function markTabs(form) {
  for (const tab of $$("[data-form-tabs] [role=tab]")) {
    const pane = $(`#${CSS.escape(tab.getAttribute("aria-controls"))}`, form);
    if (!pane) continue;
    pane.hidden = tab.getAttribute("aria-selected") !== "true";
    $(".t-tab-wrong", tab)?.remove();
    if ($("[aria-invalid=true], .t-wrong:not([hidden])", pane)) {
      const said = tab.closest("[data-form-tabs]").dataset.sayWrong;
      tab.append(make("span", { class: "t-tab-wrong", title: said }, make("span", { class: "t-vh" }, said)));
    }
  }
}

/** Put another rendering of the form in its place, with everything that was typed in it. */
export function swapForm(form, html, { clean = false } = {}) {
  const fresh = $("form", nodes(html));
  if (!fresh) return null;
  const before = form.formOf?.clean;
  form.formOf.leaving = true;
  form.replaceWith(fresh);
  enliven(fresh);
  if (fresh.formOf && !clean && before) fresh.formOf.clean = before;
  return fresh;
}

onContent((root) => {
  const forms = root.matches?.("form[data-form]") ? [root] : $$("form[data-form]", root);
  for (const form of forms) if (once(form, "form")) form.formOf = new Form(form);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const form = event.target.closest?.("form[data-form]") ?? (event.target === document.body ? $("main form[data-form]") : null);
  if (!form || form.closest("dialog")) return;
  event.preventDefault();
  form.requestSubmit();
});

// the summary's links open the tab their field is in and put the cursor there
document.addEventListener("click", (event) => {
  const link = event.target.closest(".t-summary a[href^='#']");
  if (!link) return;
  event.preventDefault();
  const target = document.getElementById(link.hash.slice(1));
  if (!target) return;
  const pane = target.closest("[role=tabpanel][hidden]");
  if (pane) document.getElementById(pane.getAttribute("aria-labelledby"))?.click();
  target.scrollIntoView({ block: "center" });
  target.focus();
});

addEventListener("beforeunload", (event) => {
  if ($$("form[data-form][data-draft]").some((form) => form.formOf?.dirty)) event.preventDefault();
});
