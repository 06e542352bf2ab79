// Texts that modules show: the server puts them, translated, into one data block of the page.
let texts;

/** The text for a key of web/texts.py, with {placeholders} filled in. */
export function text(key, params = {}) {
  texts ??= JSON.parse(document.getElementById("t-texts")?.textContent || "{}");
  return (texts[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => params[name] ?? whole);
}
