// What the checker says: in the text at its line and column, beside the files, and as a list below.
import { setDiagnostics } from "@codemirror/lint";
import { icon } from "../lib/icon.js";
import bad from "icon:alert-circle";
import mild from "icon:bulb";
import good from "icon:circle-check";

let found = [];

/** Shows how the draft stands. */
export function showState(view, path, state) {
  found = state.problems;
  view.dispatch(setDiagnostics(view.state, found.filter((p) => p.file === path).map((p) => diagnostic(view, p))));
  showFiles(state);
  showList(view, path, state);
  for (const way of document.querySelectorAll("[data-publish]")) way.hidden = !state.changed;
}

/** On to the next problem of this file, or back to the one before. */
export function goTo(view, path, way) {
  const here = view.state.selection.main.head;
  const spots = found.filter((p) => p.file === path).map((p) => diagnostic(view, p).from).sort((a, b) => (a - b) * way);
  const next = spots.find((at) => (at - here) * way > 0) ?? spots[0];
  if (next === undefined) return false;
  view.dispatch({ selection: { anchor: next }, scrollIntoView: true });
  return true;
}

function diagnostic(view, problem) {
  const line = view.state.doc.line(Math.min(Math.max(problem.line, 1), view.state.doc.lines));
  const from = Math.min(line.from + Math.max(problem.column - 1, 0), line.to);
  const word = /^(?:"[^"]*"|'[^']*'|[\w.-]+)/.exec(view.state.sliceDoc(from, line.to));
  return { from, to: Math.min(from + Math.max(word?.[0].length ?? 1, 1), line.to), severity: problem.severity, message: problem.message, renderMessage: () => words(problem) };
}

function words(problem) {
  const box = document.createElement("div");
  const head = document.createElement("b");
  head.textContent = `${problem.code} ${problem.title}`;
  const text = document.createElement("div");
  text.textContent = problem.message;
  box.append(head, text);
  if (problem.hint) {
    const hint = document.createElement("small");
    hint.textContent = problem.hint;
    box.append(hint);
  }
  return box;
}

function showFiles(state) {
  const list = document.querySelector("[data-files]");
  for (const file of state.files) {
    const line = [...list.querySelectorAll("[data-file]")].find((a) => a.dataset.file === file.path);
    if (!line) continue;
    line.querySelector(".t-studio-n")?.remove();
    line.querySelector(".t-studio-dot")?.remove();
    if (file.errors) line.append(part("t-studio-n is-bad", file.errors));
    if (file.state) line.append(part(`t-studio-dot is-${file.state}`, ""));
  }
}

function part(name, text) {
  const it = document.createElement("span");
  it.className = name;
  it.textContent = text;
  return it;
}

function showList(view, path, state) {
  const list = document.querySelector("[data-problems]");
  const sum = document.querySelector("[data-sum]");
  const form = document.querySelector("[data-editor]");
  sum.replaceChildren(icon(state.errors ? bad : state.advice ? mild : good, state.errors ? "t-late" : state.advice ? "" : "t-good"), document.createTextNode(state.errors || state.advice ? state.summary : form.dataset.saySound));
  list.replaceChildren(...state.problems.map((problem) => line(problem, path)));
}

function line(problem, path) {
  const item = document.createElement("li");
  const inside = problem.file !== null;
  const row = document.createElement(inside ? "a" : "div");
  row.className = "t-studio-problem";
  if (inside) {
    const address = new URL(location.href);
    address.search = new URLSearchParams({ file: problem.file, line: problem.line, column: problem.column });
    row.href = address;
    Object.assign(row.dataset, { go: "", file: problem.file, line: problem.line, column: problem.column });
  }
  const text = part("t-grow", "");
  const head = document.createElement("b");
  head.textContent = problem.title;
  text.append(head, document.createTextNode(` ${problem.message}`));
  if (problem.hint) text.append(part("t-3rd", ` (${problem.hint})`));
  const where = part("t-3rd t-small t-num", inside ? `${problem.file === path ? "" : `${problem.file}:`}${problem.line}:${problem.column}` : problem.where);
  where.dir = "ltr";
  row.append(icon(problem.severity === "error" ? bad : mild, problem.severity === "error" ? "t-late" : ""), part("t-studio-code", problem.code), text, where);
  item.append(row);
  return item;
}
