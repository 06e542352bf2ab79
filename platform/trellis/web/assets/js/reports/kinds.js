// Charts beside the plain ones: gauge, tree map, flows, two numbers against each other, the world.
import { cut, ink, number, tooltip } from "./chart-parts.js";

/** One number on a dial. */
export function gauge(data, colors, width) {
  const one = data.series[0];
  const value = one.values[0] ?? 0;
  const full = Math.max(data.full ?? (data.number.kind === "percent" ? 100 : nice(value)), value > 0 && data.number.kind === "percent" ? Math.ceil(value / 50) * 50 : 0);
  const write = number(data.number);
  const big = width < 480 ? 22 : 28;
  return {
    series: [{
      type: "gauge", min: 0, max: full, startAngle: 205, endAngle: -25, radius: "84%", center: ["50%", "60%"], splitNumber: 4,
      progress: { show: true, width: 16, roundCap: true, itemStyle: { color: colors.accent } },
      axisLine: { roundCap: true, lineStyle: { width: 16, color: [[1, colors.soft]] } },
      pointer: { show: false }, axisTick: { show: false }, splitLine: { show: false },
      axisLabel: { distance: -46, color: colors.third, fontFamily: colors.font, fontSize: 12, formatter: write },
      title: { offsetCenter: [0, "34%"], color: colors.second, fontFamily: colors.font, fontSize: 13 },
      detail: { offsetCenter: [0, "4%"], color: colors.text, fontFamily: colors.font, fontSize: big, fontWeight: 600, formatter: () => one.texts[0] || "—" },
      data: [{ value: Math.min(value, full), name: one.label }],
    }],
  };
}

/** The next round number that leaves some room. */
function nice(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value * 1.15));
  return [1, 2, 2.5, 5, 10].map((step) => step * power).find((step) => step >= value * 1.15);
}

/** Areas as large as their numbers, the second group within the first. */
export function treemap(data, colors) {
  const nested = data.series.length > 1;
  const items = data.categories
    .map((name, at) => {
      const label = { color: ink(colors.palette[at % colors.palette.length]) };
      const itemStyle = { color: colors.palette[at % colors.palette.length] };
      const inside = data.series.map((one, n) => ({ name: one.label, value: one.values[at] ?? 0, at, n, label, itemStyle })).filter((item) => item.value > 0);
      const value = inside.reduce((sum, item) => sum + item.value, 0);
      return nested ? { name, value, at, children: inside, itemStyle } : { name, value, at, n: 0, label, itemStyle };
    })
    .filter((item) => item.value > 0);
  return {
    color: colors.palette,
    tooltip: { ...tooltip(colors), formatter: ({ treePathInfo, data: item }) => `${treePathInfo.slice(1).map((step) => step.name).join(" · ")}\n${item.n === undefined ? number(data.number)(item.value) : data.series[item.n].texts[item.at]}` },
    series: [{
      type: "treemap", data: items, roam: false, nodeClick: false, breadcrumb: { show: false }, top: 4, left: 4, right: 4, bottom: 4, width: "auto", height: "auto",
      label: { fontFamily: colors.font, fontSize: 12, overflow: "truncate", formatter: ({ name, data: item }) => `${cut(name, 28)}\n${item.n === undefined ? "" : data.series[item.n].texts[item.at]}` },
      upperLabel: { show: nested, height: 22, color: colors.text, fontFamily: colors.font, fontSize: 12, fontWeight: 600 },
      itemStyle: { borderColor: colors.surface, borderWidth: 2, gapWidth: 2, borderRadius: 4 },
    }],
  };
}

/** What goes from where to where. */
export function sankey(data, colors, width) {
  // what stands on both sides is two places, or what flows would come back to itself
  const matrix = () => data.series.flatMap((one, n) => one.values.map((value, at) => ({ from: `a${at}`, source: data.categories[at], to: `b${n}`, target: one.label, value, text: one.texts[at], href: one.links[at] })));
  const told = () => data.flows.map((flow) => ({ ...flow, from: `n${flow.source}`, to: `n${flow.target}` }));
  const flows = (data.flows ? told() : matrix()).filter((flow) => flow.value > 0);
  const names = new Map(flows.flatMap((flow) => [[flow.from, flow.source], [flow.to, flow.target]]));
  return {
    color: colors.palette,
    tooltip: { ...tooltip(colors), formatter: ({ dataType, data: item, name, value }) => (dataType === "edge" ? `${names.get(item.source)} → ${names.get(item.target)}\n${item.text}` : `${names.get(name)}\n${number(data.number)(value)}`) },
    series: [{
      type: "sankey", left: 4, top: 12, bottom: 12, right: width < 480 ? 72 : 140, nodeWidth: 14, nodeGap: 12, draggable: false, emphasis: { focus: "adjacency" },
      data: [...names.keys()].map((name, at) => ({ name, itemStyle: { color: colors.palette[at % colors.palette.length] } })), links: flows.map(({ from, to, value, text, href }) => ({ source: from, target: to, value, text, href })),
      label: { color: colors.second, fontFamily: colors.font, fontSize: 12, formatter: ({ name }) => cut(names.get(name), width < 480 ? 12 : 22) },
      lineStyle: { color: "source", opacity: 0.28, curveness: 0.5 }, itemStyle: { borderWidth: 0 },
    }],
  };
}

/** A point for each group, at two of its numbers. */
export function points(data, colors, width) {
  const [across, up] = data.series;
  const axis = (one, name, more) => ({ type: "value", name, nameLocation: "middle", scale: true, splitLine: { lineStyle: { color: colors.line } }, nameTextStyle: { color: colors.third, fontFamily: colors.font, fontSize: 12 }, axisLabel: { color: colors.third, fontFamily: colors.font, fontSize: 12, hideOverlap: true, formatter: number(one) }, ...more });
  const items = data.categories.map((name, at) => ({ name, value: [across.values[at], up.values[at]], at })).filter((item) => item.value.every((value) => value !== null));
  return {
    color: [colors.accent],
    tooltip: { ...tooltip(colors), formatter: ({ data: item }) => `${item.name}\n${across.label}: ${across.texts[item.at]}\n${up.label}: ${up.texts[item.at]}` },
    grid: { top: 14, left: 36, right: 20, bottom: 28, containLabel: true },
    xAxis: axis(across.number ?? data.number, across.label, { nameGap: 28 }), yAxis: axis(up.number ?? data.number, up.label, { nameGap: 40 }),
    series: [{ type: "scatter", data: items, symbolSize: 12, itemStyle: { opacity: 0.8 }, label: { show: items.length <= 24 && width >= 480, position: "right", color: colors.second, fontFamily: colors.font, fontSize: 12, formatter: ({ name }) => cut(name, 20) }, labelLayout: { hideOverlap: true } }],
  };
}

let known = null;

/** The countries, fetched when a map is drawn the first time. */
export async function atlas(echarts) {
  if (known) return known;
  const [{ feature }, world] = await Promise.all([import("topojson-client"), import("world-atlas/countries-110m.json")]);
  const { default: topology } = world;
  const shapes = feature(topology, topology.objects.countries);
  known = new Map(shapes.features.map((one) => [String(one.id ?? ""), one.properties.name]));
  shapes.features.forEach(whole);
  echarts.registerMap("world", { type: "FeatureCollection", features: shapes.features.filter((one) => one.properties.name !== "Antarctica") });
  return known;
}

/** What lies on both sides of 180° is drawn on one. */
function whole(one) {
  const rings = one.geometry.type === "MultiPolygon" ? one.geometry.coordinates.flat() : one.geometry.coordinates;
  for (const ring of rings) {
    const sides = ring.map(([east]) => east);
    if (Math.max(...sides) - Math.min(...sides) > 180) for (const point of ring) if (point[0] < 0) point[0] += 360;
  }
}

/** Countries, the darker the more. */
export function world(data, colors) {
  const one = data.series[0];
  const items = data.codes.map((code, at) => ({ name: known?.get(code), value: one.values[at], at })).filter((item) => item.name && item.value !== null);
  const at = new Map(items.map((item) => [item.name, item.at]));
  return {
    tooltip: { ...tooltip(colors), formatter: ({ name }) => (at.has(name) ? `${data.categories[at.get(name)]}\n${one.texts[at.get(name)]}` : "") },
    visualMap: { min: 0, max: Math.max(1, ...items.map((item) => item.value)), left: 8, bottom: 8, itemHeight: 80, itemWidth: 10, calculable: false, text: [number(data.number)(Math.max(0, ...items.map((item) => item.value))), ""], textStyle: { color: colors.third, fontFamily: colors.font, fontSize: 12 }, inRange: { color: [colors.soft, colors.accent] } },
    series: [{ type: "map", map: "world", roam: false, top: 4, bottom: 4, selectedMode: false, data: items, itemStyle: { areaColor: colors.line, borderColor: colors.surface, borderWidth: 0.6 }, emphasis: { label: { show: false }, itemStyle: { areaColor: colors.accent } } }],
  };
}
