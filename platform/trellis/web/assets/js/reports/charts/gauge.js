// One number on a dial.
import { number } from "./common.js";

export function gauge(data, colors, width) {
  const one = data.series[0];
  const value = one.values[0] ?? 0;
  const full = Math.max(data.full ?? (data.number.kind === "percent" ? 100 : nice(value)), value > 0 && data.number.kind === "percent" ? Math.ceil(value / 50) * 50 : 0);
  const write = number(data.number);
  const narrow = width < 480;
  const text = one.texts[0] || "—";
  return {
    series: [{
      type: "gauge", min: 0, max: full, startAngle: 205, endAngle: -25, radius: "84%", center: ["50%", "60%"], splitNumber: 2,
      progress: { show: true, width: 16, roundCap: true, itemStyle: { color: colors.accent } },
      axisLine: { roundCap: true, lineStyle: { width: 16, color: [[1, colors.soft]] } },
      pointer: { show: false }, axisTick: { show: false }, splitLine: { show: false },
      axisLabel: { distance: -46, color: colors.third, fontFamily: colors.font, fontSize: 12, formatter: write },
      title: { offsetCenter: [0, "34%"], color: colors.second, fontFamily: colors.font, fontSize: 13 },
      detail: { offsetCenter: [0, "4%"], color: colors.text, fontFamily: colors.font, fontSize: narrow ? 22 : 28, fontWeight: 600, formatter: () => (text.length > 10 ? write(value) : text) },
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
