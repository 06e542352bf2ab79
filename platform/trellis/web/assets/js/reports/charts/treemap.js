// Areas as large as their numbers, the second group within the first.
import { cut, ink, many, number, tooltip } from "./common.js";

export function treemap(data, colors) {
  const nested = data.series.length > 1;
  const palette = many(colors, data.categories.length);
  const write = number(data.number);
  const items = data.categories
    .map((name, at) => {
      const color = palette[at % palette.length];
      const [label, itemStyle] = [{ color: ink(color) }, { color }];
      const inside = data.series.map((one, n) => ({ name: one.label, value: one.values[at] ?? 0, at, n, label, itemStyle })).filter((item) => item.value > 0);
      const value = inside.reduce((sum, item) => sum + item.value, 0);
      return nested ? { name, value, at, children: inside, itemStyle } : { name, value, at, n: 0, label, itemStyle };
    })
    .filter((item) => item.value > 0);
  return {
    color: palette,
    tooltip: { ...tooltip(colors), formatter: ({ treePathInfo, data: item }) => `${treePathInfo.slice(1).map((step) => step.name).join(" · ")}\n${item.n === undefined ? write(item.value) : data.series[item.n].texts[item.at]}` },
    series: [{
      type: "treemap", data: items, roam: false, nodeClick: false, breadcrumb: { show: false }, top: 4, left: 4, right: 4, bottom: 4, width: "auto", height: "auto",
      label: { fontFamily: colors.font, fontSize: 12, overflow: "truncate", formatter: ({ name, data: item }) => `${cut(name, 28)}\n${item.n === undefined ? "" : write(item.value)}` },
      upperLabel: { show: nested, height: 22, color: colors.text, fontFamily: colors.font, fontSize: 12, fontWeight: 600 },
      itemStyle: { borderColor: colors.surface, borderWidth: 2, gapWidth: 2, borderRadius: 4 },
    }],
  };
}

export const treemapTarget = (data, event) => data.series[event.data?.n]?.links[event.data.at];
