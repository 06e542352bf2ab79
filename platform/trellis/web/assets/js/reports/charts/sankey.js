// What goes from where to where.
import { cut, many, number, tooltip } from "./common.js";

export function sankey(data, colors, width) {
  // what stands on both sides is two places, or what flows would come back to itself
  const matrix = () => data.series.flatMap((one, n) => one.values.map((value, at) => ({ from: `a${at}`, source: data.categories[at], to: `b${n}`, target: one.label, value, text: one.texts[at], href: one.links[at] })));
  const told = () => data.flows.map((flow) => ({ ...flow, from: `n${flow.source}`, to: `n${flow.target}` }));
  const flows = (data.flows ? told() : matrix()).filter((flow) => flow.value > 0);
  const names = new Map(flows.flatMap((flow) => [[flow.from, flow.source], [flow.to, flow.target]]));
  const palette = many(colors, names.size);
  return {
    color: palette,
    tooltip: { ...tooltip(colors), formatter: ({ dataType, data: item, name, value }) => (dataType === "edge" ? `${names.get(item.source)} → ${names.get(item.target)}\n${item.text}` : `${names.get(name)}\n${number(data.number)(value)}`) },
    series: [{
      type: "sankey", left: 4, top: 12, bottom: 12, right: width < 480 ? 72 : 140, nodeWidth: 14, nodeGap: 12, draggable: false, emphasis: { focus: "adjacency" },
      data: [...names.keys()].map((name, at) => ({ name, itemStyle: { color: palette[at % palette.length] } })), links: flows.map(({ from, to, value, text, href }) => ({ source: from, target: to, value, text, href })),
      label: { color: colors.second, fontFamily: colors.font, fontSize: 12, formatter: ({ name }) => cut(names.get(name), width < 480 ? 12 : 22) },
      lineStyle: { color: "source", opacity: 0.28, curveness: 0.5 }, itemStyle: { borderWidth: 0 },
    }],
  };
}

export const sankeyTarget = (data, event) => event.data.href;
