// What all charts share: numbers along an axis, short names, the box that tells of a point.
/** How numbers stand along an axis: short, in the page's language. */
export function number(how) {
  const language = document.documentElement.lang || "en";
  const compact = { notation: "compact", maximumFractionDigits: 1 };
  if (how.kind === "money") {
    const money = new Intl.NumberFormat(language, { ...compact, style: "currency", currency: how.currency, currencyDisplay: "narrowSymbol", minimumFractionDigits: 0 });
    return (value) => money.format(value);
  }
  const plain = new Intl.NumberFormat(language, compact);
  if (how.kind === "percent") return (value) => `${plain.format(value)} %`;
  return (value) => plain.format(value);
}

export const cut = (label, most = 22) => (label.length > most ? `${label.slice(0, most - 1)}…` : label);

export function tooltip(colors) {
  return {
    renderMode: "richText", confine: true, backgroundColor: colors.raised, borderColor: colors.hard, borderWidth: 1, padding: [8, 10],
    textStyle: { color: colors.text, fontFamily: colors.font, fontSize: 12 }, shadowBlur: 12, shadowColor: "rgba(0,0,0,.12)",
  };
}

/** Black or white, whichever is read on a colour. */
export function ink(color) {
  const [red, green, blue] = color.match(/[\d.]+/g).map(Number);
  return 0.299 * red + 0.587 * green + 0.114 * blue > 140 ? "#111318" : "#ffffff";
}
