// The countries, the darker the more.
import { number, tooltip } from "./common.js";

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
