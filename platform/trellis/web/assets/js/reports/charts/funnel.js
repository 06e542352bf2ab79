// Steps one below the other, in the middle; where each is at most the one before, with the part that came on.
import { cut, share, tooltip } from "./common.js";

export function funnel(data, colors, width) {
  const one = data.series[0];
  const values = one.values.map((value) => value ?? 0);
  const most = Math.max(1e-9, ...values);
  const falls = values.length > 1 && values.every((value, at) => !at || value <= values[at - 1]);
  const step = (at) => (falls && at && values[at - 1] ? share(data, values[at], values[at - 1]) : "");
  const axis = { type: "category", inverse: true, axisTick: { show: false }, axisLine: { show: false }, data: data.categories };
  const label = { color: colors.second, fontFamily: colors.font, fontSize: 12 };
  const rich = { n: { color: colors.text, fontFamily: colors.font, fontSize: 12, fontWeight: 600, align: "right" }, p: { color: colors.third, fontFamily: colors.font, fontSize: 12, width: 44, align: "right" } };
  return {
    tooltip: { ...tooltip(colors), trigger: "axis", axisPointer: { type: "none" }, formatter: ([{ dataIndex: at }]) => `${data.categories[at]}\n${one.texts[at]}${step(at) ? ` (${step(at)})` : ""}` },
    grid: { top: 4, bottom: 4, left: 4, right: 8, containLabel: true },
    xAxis: { type: "value", min: 0, max: most, show: false },
    yAxis: [
      { ...axis, axisLabel: { ...label, interval: 0, formatter: (name) => cut(name, width < 480 ? 10 : 24) } },
      { ...axis, position: "right", axisLabel: { ...label, rich, interval: 0, formatter: (_, at) => `{n|${one.texts[at] || "—"}}${falls ? `{p|${step(at)}}` : ""}` } },
    ],
    series: [
      { type: "bar", stack: "step", silent: true, data: values.map((value) => (most - value) / 2), itemStyle: { color: "transparent" }, barCategoryGap: "18%" },
      { type: "bar", stack: "step", data: values.map((value) => value && Math.max(value, most / 250)), showBackground: true, backgroundStyle: { color: colors.sunken, borderRadius: 5 }, itemStyle: { color: colors.accent, borderRadius: 5 } },
    ],
  };
}

export const funnelTarget = (data, event) => data.series[0].links[event.dataIndex];
