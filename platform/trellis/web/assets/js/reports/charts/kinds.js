// The kinds of charts: how each is drawn from a report's data, and where a click on a part of it leads.
import { cartesian } from "./cartesian.js";
import { funnel, funnelTarget } from "./funnel.js";
import { gauge } from "./gauge.js";
import { heatmap, heatmapTarget } from "./heatmap.js";
import { pie } from "./pie.js";
import { points } from "./points.js";
import { sankey, sankeyTarget } from "./sankey.js";
import { treemap, treemapTarget } from "./treemap.js";
import { world } from "./world.js";

const item = (data, event) => data.series[0].links[event.data?.at];
const along = { options: cartesian, target: (data, event) => data.series[event.seriesIndex]?.links[event.dataIndex] };
const KINDS = {
  bar: along, line: along, area: along, scatter: along,
  pie: { options: pie, target: item }, donut: { options: pie, target: item },
  funnel: { options: funnel, target: funnelTarget }, heatmap: { options: heatmap, target: heatmapTarget },
  gauge: { options: gauge, target: item }, treemap: { options: treemap, target: treemapTarget },
  sankey: { options: sankey, target: sankeyTarget }, map: { options: world, target: item },
};
const POINTS = { options: points, target: item };
const PARTS = ["pie", "donut", "funnel", "treemap", "sankey"];

/** What parts of a whole cannot say is drawn as bars: numbers below zero. */
export const sound = (data) => (PARTS.includes(data.type) && data.series.some((one) => one.values.some((value) => value < 0)) ? { ...data, type: "bar" } : data);

/** How a chart is drawn; points are of two numbers where there are two. */
export const kindOf = (data) => (data.type === "scatter" && data.series.length === 2 && !data.stacked && !data.split ? POINTS : (KINDS[data.type] ?? along));
