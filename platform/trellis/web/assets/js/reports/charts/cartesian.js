// Bars, lines, areas and points along two axes.
import { cut, legend, many, number, ramp, spread, tooltip, widthOf } from "./common.js";

/** Whether bars lie: as the report says, or as the names are too many or too long to stand side by side. */
export function lies(data, width, most = Infinity) {
  if (data.type !== "bar" || data.horizontal) return data.type === "bar";
  const room = (width - 70) / data.categories.length;
  const isLong = room < 84 && data.categories.some((name) => widthOf(name) > Math.max(110, room * 2));
  return !data.ordered && data.categories.length <= most && (isLong || data.categories.length > (width < 480 ? 8 : 16));
}

const told = (series) => series.flatMap((one) => one.values).filter((value) => value !== null);

/** The axis of the numbers: nothing but zeros has no scale, and shares end at a hundred. */
function scale(data, values, write, colors, few) {
  const most = Math.max(0, ...values);
  const whole = data.percent || data.number.kind === "percent";
  const ends = values.every((value) => value === 0) ? { min: 0, max: 1, interval: 1 } : whole && most <= 100 && most > 70 && Math.min(...values) >= 0 ? { min: 0, max: 100, interval: 25 } : {};
  const label = ends.max === 1 ? (value) => (value ? "" : write(0)) : write;
  return {
    type: "value", splitLine: { lineStyle: { color: colors.line } }, splitNumber: few ? 2 : 4, ...ends, minInterval: data.number.kind === "number" && most < 5 ? 1 : undefined,
    axisLabel: { color: colors.third, fontFamily: colors.font, fontSize: 12, hideOverlap: true, formatter: label },
  };
}

const SIDES = { true: ["right", "left"], false: ["top", "bottom"] };
const ROUND = { true: [[0, 3, 3, 0], [3, 0, 0, 3]], false: [[3, 3, 0, 0], [0, 0, 3, 3]] };

/** One bar: rounded where it ends, its label beyond the end. */
const bar = (value, sideways) => ({ value, label: { position: SIDES[sideways][value < 0 ? 1 : 0] }, itemStyle: { borderRadius: ROUND[sideways][value < 0 ? 1 : 0] } });

/** How high the stacks are, as a series that draws nothing; only of those that are shown. */
function totals(data, sideways, write, label, hidden) {
  const shown = data.series.filter((one) => !hidden[one.label]);
  if (!data.sums || data.percent || told(shown).some((value) => value < 0)) return [];
  const sums = data.categories.map((_, at) => shown.reduce((sum, one) => sum + (one.values[at] ?? 0), 0));
  return [{ type: "bar", stack: "all", silent: true, data: sums.map(() => 0), label: { ...label, show: true, position: SIDES[sideways][0], formatter: ({ dataIndex }) => (sums[dataIndex] ? write(sums[dataIndex]) : "") } }];
}

export function cartesian(data, colors, width, { lying = lies(data, width), hidden = {} } = {}) {
  const write = number(data.percent ? { kind: "percent", pattern: data.share } : data.number);
  const sideways = Boolean(lying);
  const several = data.series.length > 1;
  const whole = data.percent ? data.categories.map((_, at) => data.series.reduce((sum, one) => sum + (one.values[at] ?? 0), 0)) : null;
  const drawn = data.series.map((one) => one.values.map((value, at) => (whole && value !== null ? (whole[at] ? (value / whole[at]) * 100 : 0) : value)));
  const type = { area: "line", scatter: "scatter" }[data.type] ?? data.type;
  const values = scale(data, drawn.flat().filter((value) => value !== null), write, colors, sideways && width < 480);
  const room = Math.floor((width - 70) / data.categories.length);
  const label = { color: colors.second, fontFamily: colors.font, fontSize: 12 };
  const names = {
    type: "category", data: data.categories, inverse: sideways, axisTick: { show: false }, axisLine: { lineStyle: { color: colors.hard } },
    axisLabel: { ...label, ...(sideways ? { hideOverlap: true, width: Math.min(220, width * 0.36), overflow: "truncate" } : spread(data.categories, room, colors.font)) },
  };
  // names aslant reach to the left of the first bar
  const aside = names.axisLabel.rotate ? widthOf(names.axisLabel.formatter(data.categories[0] ?? ""), colors.font) * 0.8 - room / 2 - 36 : 0;
  const ends = data.stacked ? data.categories.map((_, at) => data.series.reduce((sum, one) => sum + (one.values[at] ?? 0), 0)) : told(data.series);
  const widest = Math.max(0, ...ends.map((value) => widthOf(write(value), colors.font)));
  const labelled = type === "bar" && (sideways ? data.categories.length <= 40 : room > widest + 4) && (!several || data.stacked);
  return {
    color: !several ? [colors.accent] : data.stacked && data.steps ? ramp(colors, data.series.length) : many(colors, data.series.length),
    legend: { ...legend(colors, data.series.map((one) => one.label)), selected: Object.fromEntries(Object.keys(hidden).map((name) => [name, !hidden[name]])) },
    tooltip: {
      ...tooltip(colors), trigger: data.type === "scatter" ? "item" : "axis", axisPointer: { type: type === "bar" ? "shadow" : "line", shadowStyle: { color: colors.soft, opacity: 0.5 }, lineStyle: { color: colors.hard } },
      formatter: (points) => {
        const shown = [points].flat().filter((point) => data.series[point.seriesIndex]);
        const line = ({ marker, seriesIndex: n, dataIndex: at }) => `${marker}${several ? `${cut(data.series[n].label, 32)}: ` : ""}${data.series[n].texts[at] || "—"}`;
        return shown.length ? [data.categories[shown[0].dataIndex], ...shown.map(line)].join("\n") : "";
      },
    },
    grid: { top: (several ? 34 : 14) + (labelled && !sideways ? 8 : 0), left: Math.max(4, aside), right: 12 + (labelled && sideways ? widest : 0), bottom: 2, containLabel: true },
    xAxis: sideways ? values : names,
    yAxis: sideways ? names : values,
    series: [
      ...data.series.map((one, n) => ({
        name: one.label, type, stack: data.stacked ? "all" : undefined, data: type === "bar" && !data.stacked ? drawn[n].map((value) => bar(value, sideways)) : drawn[n],
        areaStyle: data.type === "area" ? { opacity: data.stacked ? 0.75 : 0.16 } : undefined, smooth: false, symbolSize: data.type === "scatter" ? 10 : 6,
        symbol: "circle", showSymbol: data.categories.length < 32, barMaxWidth: 44, barCategoryGap: "34%", connectNulls: false,
        lineStyle: { width: 2 }, itemStyle: type === "bar" && data.stacked ? { borderColor: colors.surface, borderWidth: 0.5 } : undefined,
        label: { ...label, show: labelled && !several && !data.stacked, formatter: ({ value }) => (value === null || value === undefined ? "" : write(value)) },
        emphasis: { focus: several ? "series" : "none" },
      })),
      ...(labelled && data.stacked ? totals(data, sideways, write, label, hidden) : []),
    ],
  };
}
