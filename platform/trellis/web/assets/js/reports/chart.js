// Draws the data of a report. Colours come from the stylesheet, so that light, dark and the tenant's own are one thing.
import { BarChart, GaugeChart, HeatmapChart, LineChart, MapChart, PieChart, SankeyChart, ScatterChart, TreemapChart } from "echarts/charts";
import { GeoComponent, GridComponent, LegendComponent, TooltipComponent, VisualMapComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { LabelLayout } from "echarts/features";
import { CanvasRenderer } from "echarts/renderers";
import { lies } from "./charts/cartesian.js";
import { timed } from "./charts/common.js";
import { kindOf, sound } from "./charts/kinds.js";
import { atlas } from "./charts/world.js";

echarts.use([
  BarChart, LineChart, PieChart, ScatterChart, HeatmapChart, GaugeChart, TreemapChart, SankeyChart, MapChart,
  GeoComponent, GridComponent, LegendComponent, TooltipComponent, VisualMapComponent, LabelLayout, CanvasRenderer,
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

/** As high as what it shows needs; a widget has its height from the dashboard. */
function stretch(box, data) {
  const rows = data.type === "heatmap" ? data.series.length : lies(data, box.clientWidth) ? data.categories.length * (data.stacked ? 1 : Math.min(2, data.series.length)) : data.type === "funnel" ? data.categories.length : 0;
  if (rows > 9) box.style.height = `${Math.min(1200, 60 + rows * (data.type === "heatmap" ? 24 : 30))}px`;
}

/** Draws a box of the page with the data in it. */
export async function draw(box) {
  const data = timed(sound(JSON.parse(box.querySelector("script").textContent)));
  if (data.type === "map") await atlas(echarts);
  const fills = box.hasAttribute("data-fill");
  const kind = kindOf(data);
  let hidden = {}; // what the reader has clicked away in the legend
  if (!fills) stretch(box, data);
  const chart = echarts.init(box, null, { renderer: "canvas" });
  const paint = (isMoving = !still) => {
    const made = kind.options(data, theme(box), box.clientWidth, { hidden, lying: lies(data, box.clientWidth, fills ? box.clientHeight / 28 : undefined) });
    chart.setOption({ animation: isMoving, animationDuration: 240, textStyle: { fontFamily: getComputedStyle(document.body).fontFamily }, ...made }, true);
  };
  paint();
  chart.on("click", (event) => {
    const href = kind.target(data, event);
    if (href) location.assign(href);
  });
  chart.on("legendselectchanged", ({ selected }) => {
    hidden = Object.fromEntries(Object.entries(selected).map(([name, shown]) => [name, !shown]));
    if (data.sums) paint();
  });
  let [width, height] = [box.clientWidth, box.clientHeight];
  new ResizeObserver(() => {
    if (!box.isConnected || (box.clientWidth === width && (!fills || box.clientHeight === height))) return;
    [width, height] = [box.clientWidth, box.clientHeight];
    chart.resize();
    paint();
  }).observe(box);
  drawn.set(box, paint);
}

/** A drawn chart as a picture, twice as fine as the screen. */
export function pictureOf(box) {
  return echarts.getInstanceByDom(box).getDataURL({ type: "png", pixelRatio: 2, backgroundColor: color("--t-surface", box) });
}

function again() {
  for (const [box, paint] of drawn) {
    if (box.isConnected) paint();
    else drawn.delete(box);
  }
}
new MutationObserver(again).observe(document.documentElement, { attributes: true, attributeFilter: ["data-bs-theme"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);

/** On paper stands a picture in the colours of paper: it is drawn at once, whatever the screen does in layers and frames. */
matchMedia("print").addEventListener("change", ({ matches }) => {
  for (const [box, paint] of drawn) {
    box.querySelector(".t-chart-sheet")?.remove();
    if (!box.isConnected) continue;
    paint(false);
    if (!matches) continue;
    const sheet = echarts.getInstanceByDom(box).renderToCanvas({ pixelRatio: 2 });
    sheet.removeAttribute("style"); // it was a layer, above everything
    sheet.className = "t-chart-sheet";
    box.append(sheet);
  }
});
