// A point for each group, at two of its numbers.
import { cut, number, tooltip, widthOf } from "./common.js";

export function points(data, colors, width) {
  const [across, up] = data.series;
  const axis = (one, name, more) => ({ type: "value", name, nameLocation: "middle", scale: true, splitLine: { lineStyle: { color: colors.line } }, nameTextStyle: { color: colors.third, fontFamily: colors.font, fontSize: 12 }, axisLabel: { color: colors.third, fontFamily: colors.font, fontSize: 12, hideOverlap: true, formatter: number(one) }, ...more });
  const items = data.categories.map((name, at) => ({ name, value: [across.values[at], up.values[at]], at })).filter((item) => item.value.every((value) => value !== null));
  const upwards = number(up.number ?? data.number);
  const widest = Math.max(0, ...items.map(({ value }) => widthOf(upwards(value[1]), colors.font)));
  return {
    color: [colors.accent],
    tooltip: { ...tooltip(colors), formatter: ({ data: item }) => `${item.name}\n${across.label}: ${across.texts[item.at]}\n${up.label}: ${up.texts[item.at]}` },
    grid: { top: 14, left: 28, right: 20, bottom: 28, containLabel: true },
    xAxis: axis(across.number ?? data.number, across.label, { nameGap: 28 }), yAxis: axis(up.number ?? data.number, up.label, { nameGap: widest + 22 }),
    series: [{ type: "scatter", data: items, symbolSize: 12, itemStyle: { opacity: 0.8 }, label: { show: items.length <= 24 && width >= 480, position: "right", color: colors.second, fontFamily: colors.font, fontSize: 12, formatter: ({ name }) => cut(name, 20) }, labelLayout: { hideOverlap: true } }],
  };
}
