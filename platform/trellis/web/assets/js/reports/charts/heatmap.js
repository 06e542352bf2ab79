// Two groups as a field of cells, the stronger the more.
import { cut, ink, mixed, number, spread, tooltip, widthOf } from "./common.js";

export function heatmap(data, colors, width) {
  const told = data.series.flatMap((one, y) => one.values.map((value, x) => [x, y, value]).filter(([, , value]) => value !== null));
  const write = number(data.number);
  const values = told.map(([, , value]) => value);
  const [least, most] = [Math.min(0, ...values), Math.max(values.some(Boolean) ? 0 : 1, ...values)];
  const names = data.series.map((one) => one.label);
  const label = { color: colors.second, fontFamily: colors.font, fontSize: 12 };
  const beside = Math.min(130, Math.max(0, ...names.map((name) => widthOf(cut(name, 16), colors.font))));
  const room = (width - beside - 44) / data.categories.length;
  const fits = room > Math.max(0, ...values.map((value) => widthOf(write(value), colors.font, 11))) + 4;
  const inked = (value) => ink(mixed(colors.accent, colors.soft, (value - least) / (most - least || 1)));
  const axis = { type: "category", axisTick: { show: false }, axisLine: { show: false }, splitArea: { show: false } };
  return {
    tooltip: { ...tooltip(colors), formatter: ({ value: [x, y] }) => `${data.categories[x]} · ${names[y]}\n${data.series[y].texts[x]}` },
    grid: { top: 8, left: 4, right: 12, bottom: 2, containLabel: true },
    xAxis: { ...axis, data: data.categories, axisLabel: { ...label, ...spread(data.categories, room, colors.font) } },
    yAxis: { ...axis, data: names, inverse: true, axisLabel: { ...label, hideOverlap: true, formatter: (name) => cut(name, 16) } },
    visualMap: { show: false, min: least, max: most, inRange: { color: [colors.soft, colors.accent] } },
    series: [{
      type: "heatmap", data: told.map((value) => ({ value, label: { color: inked(value[2]) } })), itemStyle: { borderColor: colors.surface, borderWidth: 2, borderRadius: 4 },
      label: { show: fits && told.length <= 400, fontFamily: colors.font, fontSize: 11, formatter: ({ value: [, , value] }) => write(value) }, emphasis: { itemStyle: { borderColor: colors.accent } },
    }],
  };
}

export const heatmapTarget = (data, event) => data.series[event.value[1]]?.links[event.value[0]];
