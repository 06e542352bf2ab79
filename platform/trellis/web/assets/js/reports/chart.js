// Draws the data of a report. Colours come from the stylesheet, so that light, dark and the tenant's own are one thing.
import { BarChart, FunnelChart, GaugeChart, HeatmapChart, LineChart, MapChart, PieChart, SankeyChart, ScatterChart, TreemapChart } from "echarts/charts";
import { GeoComponent, GridComponent, LegendComponent, TooltipComponent, VisualMapComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { cut, number, tooltip } from "./chart-parts.js";
import { atlas, gauge, points, sankey, treemap, world } from "./kinds.js";

echarts.use([
  BarChart, LineChart, PieChart, FunnelChart, ScatterChart, HeatmapChart, GaugeChart, TreemapChart, SankeyChart, MapChart,
  GeoComponent, GridComponent, LegendComponent, TooltipComponent, VisualMapComponent, CanvasRenderer,
]);

const pixel = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
const drawn = new Map();

/** A colour of the stylesheet as rgb, which is all that the library mixes. */
function color(name, box) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  box.append(probe);
  pixel.clearRect(0, 0, 1, 1);
  pixel.fillStyle = getComputedStyle(probe).color;
  probe.remove();
  pixel.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = pixel.getImageData(0, 0, 1, 1).data;
  return `rgba(${r},${g},${b},${(a / 255).toFixed(3)})`;
}

function theme(box) {
  const pick = (name) => color(name, box);
  return {
    palette: [1, 2, 3, 4, 5, 6, 7, 8].map((n) => pick(`--t-chart-${n}`)),
    text: pick("--t-text"), second: pick("--t-text-2"), third: pick("--t-text-3"),
    line: pick("--t-line-soft"), hard: pick("--t-line"), surface: pick("--t-surface"), raised: pick("--t-raised"), sunken: pick("--t-sunken"),
    accent: pick("--t-series-1"), soft: pick("--t-accent-soft"),
    font: getComputedStyle(document.body).fontFamily,
  };
}

function legend(data, colors, names) {
  return {
    show: names.length > 1, type: "scroll", top: 0, left: 0, icon: "roundRect", itemWidth: 10, itemHeight: 10, itemGap: 14,
    data: names, textStyle: { color: colors.second, fontFamily: colors.font, fontSize: 12 }, pageTextStyle: { color: colors.third },
    pageIconColor: colors.second, pageIconInactiveColor: colors.hard, formatter: (name) => cut(name, 28),
  };
}

/** Few names are all shown, broken into lines where they are long; of many, those that fit. */
function spread(data, sideways, width) {
  const room = Math.floor((width - 70) / data.categories.length);
  if (sideways || data.categories.length > 16) return { hideOverlap: true, ...(sideways ? {} : { alignMaxLabel: "right" }) };
  return room < 84 ? { interval: 0, rotate: 38, formatter: (label) => cut(label, 14) } : { interval: 0, width: room - 8, overflow: "break" };
}

/** Bars, lines, areas and points along two axes. */
function cartesian(data, colors, width) {
  const write = number(data.number);
  const sideways = data.horizontal && data.type === "bar";
  const many = data.series.length > 1;
  const names = { type: "category", data: data.categories, inverse: sideways, axisTick: { show: false }, axisLine: { lineStyle: { color: colors.hard } },
    axisLabel: { color: colors.second, fontFamily: colors.font, fontSize: 12, formatter: (label) => cut(label, width < 480 ? 18 : 26), ...spread(data, sideways, width) } };
  const values = { type: "value", splitLine: { lineStyle: { color: colors.line } }, axisLabel: { color: colors.third, fontFamily: colors.font, fontSize: 12, formatter: write }, splitNumber: 4, minInterval: data.number.kind === "number" && Math.max(...data.series.flatMap((s) => s.values.map((v) => v ?? 0))) < 5 ? 1 : undefined };
  const type = { area: "line", scatter: "scatter" }[data.type] ?? data.type;
  const whole = data.percent ? data.categories.map((_, at) => data.series.reduce((sum, one) => sum + (one.values[at] ?? 0), 0)) : null;
  return {
    color: many ? colors.palette : [colors.accent],
    legend: legend(data, colors, data.series.map((one) => one.label)),
    tooltip: { ...tooltip(colors), trigger: data.type === "scatter" ? "item" : "axis", axisPointer: { type: type === "bar" ? "shadow" : "line", shadowStyle: { color: colors.soft, opacity: 0.5 }, lineStyle: { color: colors.hard } },
      formatter: (points) => [points].flat().length ? [data.categories[[points].flat()[0].dataIndex], ...[points].flat().map((point) => {
        const one = data.series[point.seriesIndex];
        return `${point.marker}${many ? `${cut(one.label, 32)}: ` : ""}${one.texts[point.dataIndex] || "—"}`;
      })].join("\n") : "" },
    grid: { top: many ? 34 : 14, left: 4, right: 12, bottom: 2, containLabel: true },
    xAxis: sideways ? values : names,
    yAxis: sideways ? names : values,
    series: data.series.map((one) => ({
      name: one.label, type, stack: data.stacked ? "all" : undefined, data: one.values.map((v, at) => (whole && v !== null ? (whole[at] ? (v / whole[at]) * 100 : 0) : v)),
      areaStyle: data.type === "area" ? { opacity: data.stacked ? 0.75 : 0.16 } : undefined, smooth: false, symbolSize: data.type === "scatter" ? 10 : 6,
      symbol: "circle", showSymbol: data.categories.length < 32, barMaxWidth: 44, barCategoryGap: "34%", connectNulls: false,
      lineStyle: { width: 2 }, itemStyle: type === "bar" ? { borderRadius: data.stacked ? 0 : sideways ? [0, 3, 3, 0] : [3, 3, 0, 0] } : undefined,
      emphasis: { focus: many ? "series" : "none" },
    })),
  };
}

/** Pies, donuts and funnels: parts of one whole. */
function parts(data, colors, width) {
  const one = data.series[0];
  const items = data.categories.map((name, at) => ({ name, value: one.values[at] ?? 0, at })).filter((item) => item.value > 0);
  const share = items.reduce((sum, item) => sum + item.value, 0) || 1;
  const label = { color: colors.second, fontFamily: colors.font, fontSize: 12, formatter: ({ data: item }) => `${cut(item.name)}  ${one.texts[item.at]}` };
  const common = {
    color: items.length > 8 ? [...colors.palette, ...colors.palette.map((c) => c.replace(/,[\d.]+\)$/, ",.55)"))] : colors.palette,
    tooltip: { ...tooltip(colors), trigger: "item", formatter: ({ marker, data: item }) => `${item.name}\n${marker}${one.texts[item.at]} (${((item.value / share) * 100).toFixed(1)} %)` },
  };
  if (data.type === "funnel") {
    return { ...common, series: [{ type: "funnel", sort: "none", left: 8, right: width < 480 ? 8 : "24%", top: 8, bottom: 8, gap: 3, minSize: "6%", data: data.categories.map((name, at) => ({ name, value: one.values[at] ?? 0, at })), label: width < 480 ? { ...label, position: "inside", color: "#fff" } : { ...label, position: "right" }, labelLine: { lineStyle: { color: colors.hard } }, itemStyle: { borderWidth: 0 } }] };
  }
  const narrow = width < 480;
  return {
    ...common,
    legend: narrow ? { ...legend(data, colors, items.map((item) => item.name)), show: true } : { show: false },
    series: [{ type: "pie", radius: data.type === "donut" ? ["48%", "76%"] : "76%", center: ["50%", narrow ? "58%" : "52%"], data: items, padAngle: 1, itemStyle: { borderRadius: 3, borderColor: colors.surface, borderWidth: 1 }, label: narrow ? { show: false } : label, labelLine: { lineStyle: { color: colors.hard } } }],
  };
}

/** Two groups as a field of cells. */
function heatmap(data, colors) {
  const cells = data.series.flatMap((one, y) => one.values.map((value, x) => [x, y, value]).filter(([, , value]) => value !== null));
  const write = number(data.number);
  const axis = { axisTick: { show: false }, axisLine: { show: false }, splitArea: { show: false }, axisLabel: { color: colors.second, fontFamily: colors.font, fontSize: 12, hideOverlap: true, formatter: (label) => cut(label, 16) } };
  return {
    tooltip: { ...tooltip(colors), formatter: ({ data: [x, y] }) => `${data.categories[x]} · ${data.series[y].label}\n${data.series[y].texts[x]}` },
    grid: { top: 8, left: 4, right: 12, bottom: 2, containLabel: true },
    xAxis: { type: "category", data: data.categories, ...axis }, yAxis: { type: "category", data: data.series.map((one) => one.label), inverse: true, ...axis },
    visualMap: { show: false, min: 0, max: Math.max(1, ...cells.map(([, , value]) => value)), inRange: { color: [colors.soft, colors.accent] } },
    series: [{ type: "heatmap", data: cells, label: { show: cells.length <= 96, fontFamily: colors.font, fontSize: 11, color: colors.text, formatter: ({ data: [, , value] }) => write(value) }, itemStyle: { borderColor: colors.surface, borderWidth: 2, borderRadius: 4 }, emphasis: { itemStyle: { borderColor: colors.accent } } }],
  };
}

const KINDS = { pie: parts, donut: parts, funnel: parts, heatmap, gauge, treemap, sankey, map: world };

/** How a kind is drawn; points are of two numbers where there are two. */
const maker = (data) => (data.type === "scatter" && data.series.length === 2 ? points : (KINDS[data.type] ?? cartesian));

function options(data, box) {
  const made = maker(data)(data, theme(box), box.clientWidth);
  return { animation: !still, animationDuration: 240, textStyle: { fontFamily: getComputedStyle(document.body).fontFamily }, ...made };
}

/** Where a click on a part of the chart leads. */
function target(data, event) {
  if (data.type === "sankey") return event.data.href;
  if (data.type === "treemap") return data.series[event.data?.n]?.links[event.data.at];
  if (data.type === "heatmap") return data.series[event.data[1]]?.links[event.data[0]];
  if (KINDS[data.type] || maker(data) === points) return data.series[0].links[event.data?.at];
  return data.series[event.seriesIndex]?.links[event.dataIndex];
}

/** Draws a box of the page with the data in it. */
export async function draw(box) {
  const data = JSON.parse(box.querySelector("script").textContent);
  if (data.type === "map") await atlas(echarts);
  const fills = box.hasAttribute("data-fill"); // a widget has its height from the dashboard
  if (!fills && data.type === "heatmap" && data.series.length > 10) box.style.height = `${Math.min(900, 60 + data.series.length * 24)}px`;
  if (!fills && data.horizontal && data.categories.length > 9) box.style.height = `${Math.min(900, 60 + data.categories.length * 30)}px`;
  const chart = echarts.init(box, null, { renderer: "canvas" });
  chart.setOption(options(data, box));
  chart.on("click", (event) => {
    const href = target(data, event);
    if (href) location.assign(href);
  });
  let [width, height] = [box.clientWidth, box.clientHeight];
  new ResizeObserver(() => {
    if (!box.isConnected || (box.clientWidth === width && (!fills || box.clientHeight === height))) return;
    [width, height] = [box.clientWidth, box.clientHeight];
    chart.resize();
    chart.setOption(options(data, box), true);
  }).observe(box);
  drawn.set(box, () => chart.setOption(options(data, box), true));
}

/** A drawn chart as a picture, twice as fine as the screen. */
export function pictureOf(box) {
  return echarts.getInstanceByDom(box).getDataURL({ type: "png", pixelRatio: 2, backgroundColor: color("--t-surface", box) });
}

function again() {
  for (const [box, redraw] of drawn) {
    if (box.isConnected) redraw();
    else drawn.delete(box);
  }
}
new MutationObserver(again).observe(document.documentElement, { attributes: true, attributeFilter: ["data-bs-theme"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
