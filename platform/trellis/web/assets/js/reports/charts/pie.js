// Pies and donuts: parts of one whole.
import { cut, ink, legend, many, share, tooltip } from "./common.js";

export function pie(data, colors, width) {
  const one = data.series[0];
  const found = data.categories.map((name, at) => ({ name, value: one.values[at] ?? 0, at })).filter((item) => item.value > 0);
  const palette = many(colors, found.length);
  const narrow = width < 480; // there the shares stand in the parts, and the names above
  const items = found.map((item, at) => (narrow ? { ...item, label: { color: ink(palette[at % palette.length]) } } : item));
  const whole = items.reduce((sum, item) => sum + item.value, 0);
  const alone = items.length === 1; // nothing to be kept apart
  const part = (item) => share(data, item.value, whole);
  const label = { color: colors.second, fontFamily: colors.font, fontSize: 12, formatter: ({ data: item }) => `${cut(item.name)}  ${one.texts[item.at]}${alone ? "" : ` · ${part(item)}`}` };
  return {
    color: palette,
    tooltip: { ...tooltip(colors), trigger: "item", formatter: ({ marker, data: item }) => `${item.name}\n${marker}${one.texts[item.at]} (${part(item)})` },
    legend: narrow ? { ...legend(colors, items.map((item) => item.name)), show: true } : { show: false },
    series: [{
      type: "pie", radius: data.type === "donut" ? narrow ? ["40%", "80%"] : ["48%", "76%"] : "76%", center: ["50%", narrow ? "58%" : "52%"], data: items, padAngle: alone ? 0 : 1,
      itemStyle: { borderRadius: alone ? 0 : 3, borderColor: colors.surface, borderWidth: alone ? 0 : 1 }, labelLine: { lineStyle: { color: colors.hard } },
      label: narrow ? { ...label, show: items.length <= 6, position: "inside", formatter: ({ data: item }) => (item.value / whole > 0.08 ? share(data, Math.round((item.value / whole) * 100), 100) : "") } : label,
    }],
  };
}
