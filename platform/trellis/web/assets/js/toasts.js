// Toasts: what has just happened, with Undo where that is possible. From the page (flash), from a header (HX-Trigger: toast) or from a module.
import { htmx } from "./htmx.js";
import { icon } from "./lib/icon.js";
import { text } from "./lib/text.js";
import good from "icon:circle-check";
import bad from "icon:alert-circle";
import note from "icon:info-circle";
import cross from "icon:x";

const looks = { success: [good, "t-good"], error: [bad, "t-late"], danger: [bad, "t-late"], info: [note, ""], message: [note, ""] };
const seconds = { success: 5, info: 6, message: 6 };

function leave(box, after) {
  let timer;
  const start = () => (timer = setTimeout(() => box.remove(), after * 1000));
  for (const stop of ["pointerenter", "focusin"]) box.addEventListener(stop, () => clearTimeout(timer));
  for (const again of ["pointerleave", "focusout"]) box.addEventListener(again, start);
  start();
}

/** Shows a toast. `undo`: {url, label} is posted, or {run} called, when the person takes it back. What went wrong stays until it is closed. */
export function toast(message, { kind = "success", undo = null, link = null } = {}) {
  const [drawing, look] = looks[kind] ?? looks.info;
  const said = [...document.querySelectorAll(".t-toasts > .t-toast")].find((one) => !seconds[kind] && one.said === message);
  if (said) return said; // it stays until it is closed: once is enough
  const box = document.createElement("div");
  box.className = "t-toast";
  box.said = message;
  box.setAttribute("role", kind === "error" || kind === "danger" ? "alert" : "status");
  const words = document.createElement("span");
  words.className = "t-grow";
  words.textContent = message;
  box.append(icon(drawing, look), words);
  if (link) {
    const to = document.createElement("a");
    to.className = "btn btn-quiet btn-sm t-link";
    to.href = link.url;
    to.textContent = link.label;
    box.append(to);
  }
  if (undo) {
    const back = document.createElement("button");
    back.type = "button";
    back.className = "btn btn-quiet btn-sm";
    back.innerHTML = '<span class="t-link"></span>';
    back.firstChild.textContent = undo.label ?? text("undo");
    back.addEventListener("click", () => {
      box.remove();
      if (undo.run) return undo.run();
      htmx.ajax("POST", undo.url, { values: undo.values ?? {}, target: undo.target ?? "body", swap: undo.swap ?? "none" });
    });
    box.append(back);
  }
  const close = document.createElement("button");
  close.type = "button";
  close.className = "btn btn-quiet btn-icon btn-sm";
  close.setAttribute("aria-label", text("dismiss"));
  close.append(icon(cross));
  close.addEventListener("click", () => box.remove());
  box.append(close);
  document.querySelector(".t-toasts")?.append(box);
  if (seconds[kind]) leave(box, undo ? 10 : seconds[kind]);
  return box;
}

document.addEventListener("toast", ({ detail }) => {
  const one = detail.value ?? detail;
  for (const each of Array.isArray(one) ? one : [one]) toast(each.text, each);
});
const waiting = document.getElementById("t-flashes");
for (const each of waiting ? JSON.parse(waiting.textContent) : []) toast(each.text, each);
