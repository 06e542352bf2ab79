// Texts that modules show: the server puts them, translated, into one data block of the page.
let texts;

/** A number as the page's language writes it. */
export function number(value) {
  return new Intl.NumberFormat(document.documentElement.lang || undefined).format(value);
}

/** The text for a key of web/texts.py, with {placeholders} filled in. */
export function text(key, params = {}) {
  texts ??= JSON.parse(document.getElementById("t-texts")?.textContent || "{}");
  return (texts[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => (typeof params[name] === "number" ? number(params[name]) : params[name] ?? whole));
}
