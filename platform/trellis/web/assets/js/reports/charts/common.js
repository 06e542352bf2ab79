// What all charts share: numbers along an axis, names that find room, colours, the box that tells of a point.
const language = () => document.documentElement.lang || "en";
const pen = document.createElement("canvas").getContext("2d");

/** How numbers stand along an axis: short, in the page's language. */
export function number(how) {
  const compact = { notation: "compact", maximumFractionDigits: 1 };
  if (how.kind === "money") {
    const money = new Intl.NumberFormat(language(), { ...compact, style: "currency", currency: how.currency, currencyDisplay: "narrowSymbol", minimumFractionDigits: 0 });
    return (value) => money.format(value);
  }
  if (how.kind === "duration" && how.part) {
    const time = new Intl.NumberFormat(language(), { ...compact, style: "unit", unit: how.part, unitDisplay: "narrow" });
    return (value) => time.format(value);
  }
  const plain = new Intl.NumberFormat(language(), compact);
  if (how.kind === "percent") return (value) => (how.pattern ?? "{}%").replace("{}", plain.format(value));
  return (value) => plain.format(value);
}

/** Lengths of time in days, hours or minutes, so that the axis has round numbers. */
export function timed(data) {
  const long = data.series.filter((one) => one.number?.kind === "duration");
  if (!long.length) return data;
  const most = Math.max(...long.flatMap((one) => one.values.map((value) => Math.abs(value ?? 0))));
  const [part, times] = most >= 2 ? ["day", 1] : most >= 1 / 12 ? ["hour", 24] : ["minute", 1440];
  const told = (how) => (how?.kind === "duration" ? { ...how, part } : how);
  const scaled = (one) => ({ ...one, number: told(one.number), values: one.values.map((value) => (value === null ? null : value * times)) });
  return { ...data, number: told(data.number), series: data.series.map((one) => (long.includes(one) ? scaled(one) : one)) };
}

export const cut = (label, most = 22) => (label.length > most ? `${label.slice(0, most - 1)}…` : label);

/** How wide a text stands, in pixels. */
export function widthOf(label, font = "sans-serif", size = 12) {
  pen.font = `${size}px ${font}`;
  return pen.measureText(label).width;
}

const longest = (labels, font) => Math.max(0, ...labels.map((label) => widthOf(label, font)));

const pieces = (label) => label.split(/(?<=[\s/-])|(?<=[\u3000-\u9fff])/u);

/** A name on lines that fit, broken between words, or after a letter that is one. */
function wrapped(label, room, font) {
  const lines = [""];
  for (const piece of pieces(label)) {
    const longer = lines.at(-1) + piece;
    if (lines.at(-1) && widthOf(longer.trim(), font) > room) lines.push(piece);
    else lines[lines.length - 1] = longer;
  }
  return lines.map((line) => line.trim()).join("\n");
}

/** Names below an axis: as they are, on two lines, aslant; of too many, those that fit. */
export function spread(labels, room, font) {
  const words = labels.flatMap(pieces).map((word) => word.trim());
  if (longest(labels, font) <= room - 6) return { interval: 0 };
  if (labels.length > 24 || room < 18) return { hideOverlap: true, alignMaxLabel: "right", formatter: (label) => cut(label, 16) };
  if (longest(words, font) <= room - 6 && longest(labels, font) <= (room - 8) * 1.8) return { interval: 0, lineHeight: 15, formatter: (label) => wrapped(label, room - 6, font) };
  return { interval: 0, rotate: 38, formatter: (label) => cut(label, 14) };
}

export function tooltip(colors) {
  return {
    renderMode: "richText", confine: true, backgroundColor: colors.raised, borderColor: colors.hard, borderWidth: 1, padding: [8, 10],
    textStyle: { color: colors.text, fontFamily: colors.font, fontSize: 12 }, shadowBlur: 12, shadowColor: "rgba(0,0,0,.12)",
  };
}

export function legend(colors, names) {
  return {
    show: names.length > 1, type: "scroll", top: 0, left: 0, icon: "roundRect", itemWidth: 10, itemHeight: 10, itemGap: 14,
    data: names, textStyle: { color: colors.second, fontFamily: colors.font, fontSize: 12 }, pageTextStyle: { color: colors.third },
    pageIconColor: colors.second, pageIconInactiveColor: colors.hard, formatter: (name) => cut(name, 28),
  };
}

const parts = (color) => color.match(/[\d.]+/g).map(Number);

/** A colour between two: all of the first at 1, all of the second at 0. */
export function mixed(one, other, share) {
  const [from, to] = [parts(one), parts(other)];
  return `rgb(${[0, 1, 2].map((at) => Math.round(from[at] * share + to[at] * (1 - share))).join(",")})`;
}

/** As many colours as are wanted; beyond the palette the same ones, paler. */
export function many(colors, count) {
  return count > colors.palette.length ? [...colors.palette, ...colors.palette.map((color) => mixed(color, colors.surface, 0.5))] : colors.palette;
}

/** One colour in steps: for what has an order, as months have. */
export const ramp = (colors, count) => Array.from({ length: count }, (_, at) => mixed(colors.accent, colors.surface, 1 - (0.74 * at) / Math.max(1, count - 1)));

/** Black or white, whichever is read on a colour. */
export function ink(color) {
  const [red, green, blue] = parts(color);
  return 0.299 * red + 0.587 * green + 0.114 * blue > 140 ? "#111318" : "#ffffff";
}

/** A part of a whole in percent, as the page's language writes it. */
export const share = (data, part, whole) => number({ kind: "percent", pattern: data.share })(whole ? (part / whole) * 100 : 0);
