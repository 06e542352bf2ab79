// The picker: a combobox over a <select>, which stays as the holder of the value (so forms, drafts and tests see a plain
// select). Options come from the select, or from data-src as one types; data-create opens the quick-create dialog;
// data-free takes any text (tags).
import { $, $$, ask, icon, later, make, newId, onContent, once } from "./util.js";
import { float } from "./float.js";
import { openQuick } from "./quick.js";
import { text } from "../lib/text.js";

class Picker {
  constructor(box) {
    this.box = box;
    this.select = $("select", box);
    this.multiple = this.select.multiple;
    this.src = box.dataset.src ?? "";
    this.free = "free" in box.dataset;
    this.at = -1;
    this.items = [];
    this.build();
    this.draw();
    if (this.select.disabled) this.input.disabled = true;
    new MutationObserver(() => {
      this.input.disabled = this.select.disabled;
      this.frame.classList.toggle("is-off", this.select.disabled);
    }).observe(this.select, { attributes: true, attributeFilter: ["disabled"] });
    this.select.addEventListener("picker:draw", () => this.draw());
  }

  build() {
    const id = this.select.id || newId("pick");
    this.select.id = `${id}-v`;
    this.select.classList.add("t-vh");
    this.select.tabIndex = -1;
    this.select.setAttribute("aria-hidden", "true");
    this.listId = newId("list");
    this.input = make("input", {
      id, class: "t-combo-in", type: "text", role: "combobox", autocomplete: "off", spellcheck: "false",
      "aria-expanded": "false", "aria-controls": this.listId, "aria-autocomplete": "list",
      "aria-label": this.select.getAttribute("aria-label"),
      "aria-labelledby": this.select.getAttribute("aria-labelledby"),
      "aria-describedby": this.select.getAttribute("aria-describedby"),
      "aria-invalid": this.select.getAttribute("aria-invalid"),
      "aria-required": this.select.required ? "true" : null,
      placeholder: this.box.dataset.placeholder ?? "",
    });
    if (this.select.autofocus) this.input.autofocus = true;
    this.select.required = false;
    this.chips = make("span", { class: "t-combo-chips" });
    this.clear = make("button", {
      type: "button", class: "btn btn-quiet btn-icon btn-xs t-combo-x", tabindex: "-1",
      "aria-label": this.box.dataset.clear ?? "Clear", hidden: true,
    }, icon("x", "icon-sm"));
    this.frame = make("div", { class: "form-control t-combo-frame" }, this.chips, this.input, this.clear);
    if (this.select.classList.contains("is-wrong")) this.frame.classList.add("is-wrong");
    this.list = make("div", { role: "listbox", id: this.listId, class: "t-combo-list" });
    this.list.setAttribute("aria-label", this.box.dataset.label ?? "");
    if (this.multiple) this.list.setAttribute("aria-multiselectable", "true");
    this.extra = make("div", { class: "t-combo-extra" });
    this.menu = make("div", { class: "t-menu t-combo-menu", popover: "manual" }, this.list, this.extra);
    this.box.append(this.frame, this.menu);
    this.frame.addEventListener("mousedown", (event) => {
      if (event.target === this.input || event.target.closest("button")) return;
      event.preventDefault();
      this.input.focus();
      this.open();
    });
    this.input.addEventListener("click", () => this.open());
    this.input.addEventListener("input", () => {
      if (!this.multiple) this.typing = true;
      this.open();
      this.seek();
    });
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("focus", () => { if (!this.multiple) this.input.select(); });
    this.input.addEventListener("blur", () => this.leave());
    this.clear.addEventListener("mousedown", (event) => event.preventDefault());
    this.clear.addEventListener("click", () => { this.set([]); this.input.focus(); });
    this.menu.addEventListener("mousedown", (event) => event.preventDefault());
    this.seek = later(this.src ? 140 : 0, () => this.load());
  }

  chosen() {
    return [...this.select.options].filter((option) => option.selected && option.value);
  }

  draw() {
    const chosen = this.chosen();
    this.chips.replaceChildren();
    if (this.multiple) {
      for (const option of chosen) this.chips.append(this.chip(option));
    } else if (chosen[0]) {
      const mark = this.mark(chosen[0].dataset);
      if (mark) this.chips.append(mark);
    }
    if (!this.typing) this.input.value = this.multiple ? "" : (chosen[0]?.text.trim() ?? "");
    this.input.placeholder = chosen.length ? "" : (this.box.dataset.placeholder ?? "");
    this.input.dir = "auto";
    this.clear.hidden = this.multiple || !chosen.length || this.select.dataset.keep === "1";
    this.frame.classList.toggle("has-mark", !this.multiple && this.chips.childElementCount > 0);
  }

  mark(data) {
    if (data.initials) return make("span", { class: `t-av ${data.square ? "t-av-sq" : ""} ${data.color ?? "c-gray"}`, "aria-hidden": "true" }, data.initials);
    if (data.color) return make("span", { class: `t-dot ${data.color}`, "aria-hidden": "true" });
    return null;
  }

  chip(option) {
    const label = make("bdi", { class: "t-cut" }, option.text.trim());
    const remove = make("button", {
      type: "button", class: "t-combo-drop", tabindex: "-1", "aria-label": `${this.box.dataset.remove ?? "Remove"} ${option.text.trim()}`,
      onclick: () => { this.set(this.chosen().filter((o) => o !== option).map((o) => o.value)); this.input.focus(); },
    }, icon("x", "icon-sm"));
    remove.addEventListener("mousedown", (event) => event.preventDefault());
    return make("span", { class: `t-combo-chip ${option.dataset.initials ? "" : (option.dataset.color ?? "")}` }, option.dataset.initials ? this.mark(option.dataset) : null, label, remove);
  }

  open() {
    if (this.input.disabled || this.shut) return;
    this.input.setAttribute("aria-expanded", "true");
    this.shut = float(this.menu, this.frame);
    this.load();
  }

  close() {
    this.shut?.();
    this.shut = null;
    this.abort?.abort();
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
    this.at = -1;
  }

  leave() {
    if (this.free && this.input.value.trim() && this.multiple) this.add(this.input.value.trim());
    if (this.typing && !this.input.value.trim() && !this.multiple && this.select.dataset.keep !== "1") this.set([]);
    this.typing = false;
    this.draw();
    this.close();
  }

  query() {
    return this.multiple || this.typing ? this.input.value.trim() : "";
  }

  address(q) {
    const url = new URL(this.src, location.href);
    url.searchParams.set("q", q);
    const form = this.select.form;
    const kind = this.box.parentElement?.querySelector(":scope > [data-kind]")?.value;  // which entity is looked through
    if (kind) url.searchParams.set("kind", kind);
    for (const name of (this.box.dataset.depends ?? "").split(" ").filter(Boolean)) {
      const line = this.select.name.slice(0, this.select.name.lastIndexOf(".") + 1);
      const control = form?.elements[line + name] ?? form?.elements[name];
      if (control) url.searchParams.set(`this.${name}`, control.value ?? "");
    }
    return url;
  }

  async load() {
    const q = this.query();
    if (!this.src) {
      const words = q.toLocaleLowerCase().split(/\s+/).filter(Boolean);
      this.show([...this.select.options].filter((option) => option.value && !option.hidden && !option.disabled)
        .map((option) => ({ value: option.value, title: option.text.trim(), ...option.dataset }))
        .filter((item) => words.every((word) => `${item.title} ${item.value}`.toLocaleLowerCase().includes(word)))
        .sort((a, b) => rank(a, q) - rank(b, q)), null, q);
      return;
    }
    this.abort?.abort();
    this.abort = new AbortController();
    this.menu.setAttribute("aria-busy", "true");
    const { ok, data, aborted } = await ask(this.address(q), { accept: "application/json", signal: this.abort.signal });
    if (aborted || !this.shut) return;
    this.menu.removeAttribute("aria-busy");
    if (!ok) return this.show([], null, q);
    this.show(data.options, data.create ?? null, q);
  }

  show(items, create, q) {
    const taken = new Set(this.chosen().map((option) => option.value));
    this.items = this.multiple ? items.filter((item) => !taken.has(item.value)) : items;
    this.list.replaceChildren(...this.items.map((item, index) => {
      const line = make("span", { class: "t-grow t-cut" }, ...marked(item.title, q), item.sub ? make("small", { class: "t-cut" }, item.sub) : null);
      line.dir = "auto";
      const option = make("div", {
        class: "t-menu-item", role: "option", id: `${this.listId}-${index}`,
        "aria-selected": taken.has(item.value) ? "true" : "false",
        onclick: () => this.take(index), onmousemove: () => this.point(index),
      }, this.big(item), line, taken.has(item.value) ? icon("check") : null);
      if (item.depth) option.style.marginInlineStart = `${Math.min(item.depth, 8) * 20}px`;
      return option;
    }));
    if (!this.items.length) this.list.append(make("div", { class: "t-combo-none" }, this.free && q ? `${this.box.dataset.add ?? "Add"} “${q}”  ↵` : (this.box.dataset.none ?? text("nothing"))));
    this.extra.replaceChildren();
    if (create) {
      this.extra.append(make("div", { class: "t-menu-sep" }), make("button", {
        type: "button", class: "t-menu-item", tabindex: "-1", onclick: () => this.create(create.url),
      }, icon("plus"), make("span", { class: "t-grow t-cut" }, create.label), make("kbd", { class: "t-kbd" }, "Ctrl ↵")));
    }
    this.creating = create;
    this.shownFor = q;
    const wished = this.wish && q === this.query();
    this.wish = false;
    const chosenAt = this.items.findIndex((item) => taken.has(item.value));
    this.point(q || chosenAt < 0 ? (this.items.length && q ? 0 : -1) : chosenAt);
    if (wished && q && this.at >= 0) this.take(this.at);
  }

  /** Whether what is listed answers another text than the one that stands there now. */
  isBehind() {
    return Boolean(this.src) && this.query() !== (this.shownFor ?? "");
  }

  big(item) {
    const mark = this.mark(item);
    if (mark?.classList.contains("t-av")) mark.classList.add("t-av-24");
    return mark;
  }

  point(index) {
    this.at = index;
    $$('[role="option"]', this.list).forEach((option, n) => option.classList.toggle("is-at", n === index));
    const option = this.list.children[index];
    if (option?.id) {
      this.input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else this.input.removeAttribute("aria-activedescendant");
  }

  key(event) {
    const open = Boolean(this.shut);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!open) return this.open();
      const step = event.key === "ArrowDown" ? 1 : -1;
      const n = this.items.length;
      if (n) this.point((this.at + step + n) % n);
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && open && this.creating) {
      event.preventDefault();
      event.stopPropagation();
      this.create(this.creating.url);
    } else if (event.key === "Enter" && open && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      event.stopPropagation();
      // what is listed was found for an earlier text: the first of what comes is meant
      if (this.isBehind()) this.wish = true;
      else if (this.at >= 0) this.take(this.at);
      else if (this.free && this.query()) this.add(this.query());
      else this.close();
    } else if (event.key === "Escape" && open) {
      event.preventDefault();
      event.stopPropagation();
      this.typing = false;
      this.draw();
      this.close();
    } else if (event.key === "Tab" && open && this.at >= 0 && this.query() && !this.isBehind()) {
      this.take(this.at);
    } else if (event.key === "Backspace" && this.multiple && !this.input.value) {
      const chosen = this.chosen();
      if (chosen.length) this.set(chosen.slice(0, -1).map((option) => option.value));
    } else if (this.free && event.key === "," && this.query()) {
      event.preventDefault();
      this.add(this.query());
    }
  }

  take(index) {
    const item = this.items[index];
    if (!item) return;
    this.hold(item);
    this.typing = false;
    this.set(this.multiple ? [...this.chosen().map((option) => option.value), item.value] : [item.value]);
    if (this.multiple) { this.input.value = ""; this.load(); } else this.close();
  }

  add(text) {
    const known = [...this.select.options].find((option) => option.text.trim().toLocaleLowerCase() === text.toLocaleLowerCase());
    const value = known?.value ?? text;
    this.hold({ value, title: known?.text ?? text });
    this.input.value = "";
    this.set([...new Set([...this.chosen().map((option) => option.value), value])]);
    if (this.shut) this.load();
  }

  hold(item) {
    if ([...this.select.options].some((option) => option.value === item.value)) return;
    const option = new Option(item.title, item.value);
    for (const key of ["initials", "color", "square", "sub"]) if (item[key]) option.dataset[key] = item[key];
    this.select.add(option);
  }

  set(values) {
    const wanted = new Set(values);
    for (const option of this.select.options) option.selected = wanted.has(option.value);
    if (!values.length && !this.multiple) this.select.value = "";
    this.draw();
    this.select.dispatchEvent(new Event("change", { bubbles: true }));
  }

  create(url) {
    const address = new URL(url, location.href);
    if (this.query()) address.searchParams.set("title", this.query()); // more may have been typed since the offer came
    this.close();
    openQuick(address, {
      opener: this.input,
      done: ({ ref }) => {
        this.hold({ value: ref.value ?? ref.id, title: ref.title, initials: ref.initials, color: ref.color, square: ref.square });
        this.typing = false;
        this.set([...(this.multiple ? this.chosen().map((option) => option.value) : []), ref.value ?? ref.id]);
      },
    });
  }
}

/** What begins with what was typed, or is its code, comes first. */
function rank(item, q) {
  const typed = q.toLocaleLowerCase();
  if (!typed) return 0;
  const title = item.title.toLocaleLowerCase();
  return item.value.toLocaleLowerCase() === typed || title === typed ? 0 : title.startsWith(typed) ? 1 : 2;
}

function marked(title, q) {
  const at = q ? title.toLocaleLowerCase().indexOf(q.toLocaleLowerCase()) : -1;
  if (at < 0) return [make("bdi", {}, title)];
  return [make("bdi", {}, title.slice(0, at), make("mark", { class: "t-mark" }, title.slice(at, at + q.length)), title.slice(at + q.length))];
}

// another kind of record: what was picked of the kind before goes
document.addEventListener("change", (event) => {
  const kind = event.target.closest?.("[data-kind]");
  if (!kind || !kind.matches("select")) return;
  const box = $("[data-picker]", kind.parentElement);
  if (box?.picker && kind.value && !(box.picker.select.value ?? "").startsWith(`${kind.value}:`)) box.picker.set([]);
});

onContent((root) => {
  for (const box of $$("[data-picker]", root)) if (once(box, "picker")) box.picker = new Picker(box);
});
