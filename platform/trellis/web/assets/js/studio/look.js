// The editor's colours: those of the design, so that light, dark and the tenant's accent hold here too.
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const ink = (hue, chroma) => `light-dark(oklch(0.43 ${chroma} ${hue}), oklch(0.83 ${chroma * 0.75} ${hue}))`;

const theme = EditorView.theme({
  "&": { height: "100%", fontSize: "13px", color: "var(--t-text)", backgroundColor: "var(--t-surface)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--t-mono)", lineHeight: "1.6", overflow: "auto" },
  ".cm-content": { padding: "10px 0", caretColor: "var(--t-text)" },
  ".cm-line": { padding: "0 12px 0 6px" },
  ".cm-cursor": { borderLeftColor: "var(--t-text)", borderLeftWidth: "2px" },
  ".cm-gutters": { backgroundColor: "var(--t-surface)", color: "var(--t-text-3)", border: "0" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 4px 0 12px", minWidth: "34px" },
  ".cm-activeLine": { backgroundColor: "color-mix(in oklab, var(--t-hover) 60%, transparent)" },
  ".cm-activeLineGutter": { backgroundColor: "transparent", color: "var(--t-text)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "color-mix(in oklab, var(--t-ring) 26%, transparent)" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "var(--t-accent-soft)", outline: "1px solid var(--t-accent-line)" },
  ".cm-selectionMatch": { backgroundColor: "var(--t-mark)" },
  ".cm-foldPlaceholder": { backgroundColor: "var(--t-pressed)", border: "0", color: "var(--t-text-2)", padding: "0 6px" },
  ".cm-panels": { backgroundColor: "var(--t-sunken)", color: "var(--t-text)", borderColor: "var(--t-line)" },
  ".cm-panels .cm-textfield": { backgroundColor: "var(--t-surface)", border: "1px solid var(--t-line)", borderRadius: "6px", color: "var(--t-text)" },
  ".cm-panels .cm-button": { backgroundImage: "none", backgroundColor: "var(--t-surface)", border: "1px solid var(--t-line)", borderRadius: "6px", color: "var(--t-text)" },
  ".cm-tooltip": { backgroundColor: "var(--t-raised)", border: "0", borderRadius: "8px", boxShadow: "var(--t-shadow-menu)", color: "var(--t-text)", fontFamily: "var(--t-sans)", fontSize: "13px", maxWidth: "min(460px, 86vw)", zIndex: "40" },
  ".cm-tooltip-autocomplete > ul": { fontFamily: "var(--t-mono)", maxHeight: "15em" },
  ".cm-tooltip-autocomplete > ul > li": { padding: "4px 10px", display: "flex", gap: "8px", alignItems: "baseline" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--t-accent)", color: "var(--t-on-accent)" },
  ".cm-completionDetail": { color: "var(--t-text-3)", fontStyle: "normal", marginLeft: "auto", fontFamily: "var(--t-sans)", fontSize: "12px" },
  "li[aria-selected] .cm-completionDetail": { color: "inherit" },
  ".cm-completionInfo": { padding: "8px 10px", maxWidth: "320px", lineHeight: "1.45" },
  ".cm-t-info": { padding: "8px 12px", lineHeight: "1.45" },
  ".cm-t-info code": { fontFamily: "var(--t-mono)", fontSize: "12px" },
  ".cm-t-info p": { margin: "4px 0 0", color: "var(--t-text-2)" },
  ".cm-diagnostic": { padding: "8px 12px", borderLeft: "0", whiteSpace: "normal", lineHeight: "1.45" },
  ".cm-diagnostic b": { fontWeight: "600" },
  ".cm-diagnostic small": { display: "block", color: "var(--t-text-2)", fontSize: "12px" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--t-danger) 1px", textUnderlineOffset: "3px" },
  ".cm-lintRange-warning": { backgroundImage: "none", textDecoration: "underline wavy var(--t-warn-text) 1px", textUnderlineOffset: "3px" },
  ".cm-lint-marker": { width: "10px", height: "10px", marginTop: "5px" },
});

const highlight = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: ink(262, 0.13) },
  { tag: tags.comment, color: "var(--t-text-3)", fontStyle: "italic" },
  { tag: [tags.string, tags.special(tags.string)], color: ink(150, 0.11) },
  { tag: [tags.labelName, tags.typeName, tags.keyword], color: ink(310, 0.13) },
  { tag: [tags.punctuation, tags.separator, tags.bracket, tags.squareBracket, tags.brace], color: "var(--t-text-3)" },
  { tag: tags.meta, color: "var(--t-accent-text)", fontWeight: "600" },
  { tag: tags.content, color: "var(--t-text)" },
]);

export const look = [theme, syntaxHighlighting(highlight)];
