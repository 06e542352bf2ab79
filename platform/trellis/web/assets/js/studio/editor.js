// The editor of one file: CodeMirror over the textarea, kept and checked with every pause in typing.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit } from "@codemirror/language";
import { lintGutter, lintKeymap } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, hoverTooltip, keymap, lineNumbers } from "@codemirror/view";
import { complete, explain, loadWords } from "./complete.js";
import { Keeper } from "./keeping.js";
import { goTo, showState } from "./problems.js";
import { look } from "./look.js";

const TOUCH = matchMedia("(max-width: 767px)").matches;

/** Puts an editor in the place of the form's textarea. */
export function openEditor(form) {
  const area = form.querySelector("textarea");
  const host = document.createElement("div");
  host.className = "t-studio-host";
  area.before(host);
  area.hidden = true;
  // in a shadow root the editor brings its styles as style sheets, which the page's policy allows; <style> it does not
  const shadow = host.attachShadow({ mode: "open" });
  // the page's own keys (c creates, e edits) are not meant here: from outside, a shadow root does not look like a field
  host.addEventListener("keydown", (event) => event.ctrlKey || event.metaKey || event.stopPropagation());
  const isYaml = /\.ya?ml$/.test(form.dataset.path);
  const keeper = new Keeper(form, () => view.state.doc.toString(), (text) => replaceAll(view, text), (state) => showState(view, form.dataset.path, state));
  const view = new EditorView({
    parent: shadow,
    root: shadow,
    state: EditorState.create({
      doc: area.value,
      extensions: [
        TOUCH ? [] : [lineNumbers(), highlightActiveLineGutter(), foldGutter()],
        lintGutter(),
        TOUCH ? EditorView.lineWrapping : [],
        highlightSpecialChars(),
        history(),
        drawSelection(),
        indentOnInput(),
        indentUnit.of("  "),
        EditorState.tabSize.of(2),
        bracketMatching(),
        closeBrackets(),
        highlightActiveLine(),
        highlightSelectionMatches(),
        search({ top: true }),
        isYaml ? [yaml(), autocompletion({ override: [complete], activateOnTypingDelay: 80 }), hoverTooltip(explain)] : [],
        look,
        EditorView.contentAttributes.of({ "aria-label": form.dataset.label, tabindex: "0", spellcheck: "false", autocapitalize: "off", autocorrect: "off" }),
        keymap.of([
          { key: "Mod-s", preventDefault: true, run: () => (keeper.keep(true), true) },
          { key: "F8", run: (it) => goTo(it, form.dataset.path, 1) },
          { key: "Shift-F8", run: (it) => goTo(it, form.dataset.path, -1) },
          ...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, ...completionKeymap, ...lintKeymap, indentWithTab,
        ]),
        EditorView.updateListener.of((update) => update.docChanged && keeper.changed()),
      ],
    }),
  });
  form.closest(".t-studio").addEventListener("click", (event) => {
    const to = event.target.closest("[data-go]");
    if (!to || to.dataset.file !== form.dataset.path) return;
    event.preventDefault();
    jump(view, Number(to.dataset.line), Number(to.dataset.column));
  });
  showState(view, form.dataset.path, JSON.parse(document.getElementById("studio-state").textContent));
  if (isYaml) loadWords(form.dataset.words);
  // after the page's own turn to focus something, else the browser writes into its console that it was too late
  const begin = () => (Number(form.dataset.line) ? jump(view, Number(form.dataset.line), Number(form.dataset.column)) : TOUCH || view.focus());
  requestAnimationFrame(() => setTimeout(begin, 0));
  keeper.begin();
}

function jump(view, line, column) {
  const at = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines));
  const anchor = Math.min(at.from + Math.max(column - 1, 0), at.to);
  view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
  view.focus();
}

function replaceAll(view, text) {
  if (view.state.doc.toString() !== text) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
}
