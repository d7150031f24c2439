// Draws the page of a demo from STORY. Owns what is shown; computes nothing that the JSON does not have.
"use strict";
const INK = "#1f2430", LONG = "#e4572e", SHORT = "#7b5ea7", FUND = "#2a7f9e", GRID = "#e5e7eb";
const made = (tag, text, parent) => {
  const node = document.createElement(tag);
  if (text !== null) node.textContent = text;
  parent.append(node);
  return node;
};
const place = id => document.getElementById(id);

place("title").textContent = STORY.title;
place("lead").textContent = STORY.lead;
place("story").textContent = STORY.text;

const chart = LightweightCharts.createChart(place("price"), {
  autoSize: true,
  layout: { attributionLogo: true, textColor: INK, panes: { separatorColor: GRID } },
  grid: { vertLines: { color: GRID }, horzLines: { color: GRID } },
  timeScale: { timeVisible: true, secondsVisible: false },
});
const bars = chart.addSeries(LightweightCharts.CandlestickSeries, {
  upColor: "#ffffff", downColor: INK, borderColor: INK, wickColor: INK, borderUpColor: INK, borderDownColor: INK,
  priceFormat: { type: "price", precision: STORY.precision, minMove: STORY.tick },
});
bars.setData(STORY.bars.map(([time, open, high, low, close]) => ({ time, open, high, low, close })));
LightweightCharts.createSeriesMarkers(bars, STORY.adl.map(time => (
  { time, position: "aboveBar", shape: "arrowDown", color: LONG, text: "ADL" })));
for (const [name, color, sign] of [["shorts", SHORT, 1], ["longs", LONG, -1]]) {
  const series = chart.addSeries(LightweightCharts.HistogramSeries,
    { color, priceFormat: { type: "volume" }, title: name, priceLineVisible: false }, 1);
  series.setData(STORY.liquidations.map(([time, longs, shorts]) => ({ time, value: sign * (sign > 0 ? shorts : longs) })));
}
chart.timeScale().fitContent();

const fund = place("fund");
const plot = new uPlot({
  width: fund.clientWidth || 900, height: 220,
  series: [{}, { label: "insurance fund, " + STORY.currency, stroke: FUND, fill: FUND + "29", width: 1.6 }],
  scales: { y: { range: (_, low, high) => [Math.min(0, low), high * 1.1 || 1] } },
  axes: [{ grid: { stroke: GRID } }, { grid: { stroke: GRID }, size: 80 }],
}, STORY.fund, fund);
addEventListener("resize", () => plot.setSize({ width: fund.clientWidth, height: 220 }));

const table = place("hazards");
const head = made("tr", null, table);
for (const each of ["", "raw", "at equal leverage", "times the control group", "longs", "shorts", "hours", "closed by ADL"]) {
  made("th", each, head);
}
const most = Math.max(...STORY.behaviours.map(each => each.raw));
for (const each of STORY.behaviours) {
  const line = made("tr", null, table);
  made("td", each.name, line);
  const cell = made("td", null, line);
  const bar = made("span", null, cell);
  bar.className = "bar";
  bar.style.width = (100 * each.raw / (most || 1)) + "px";
  bar.style.background = each.control ? "#3a9d5d" : "#d08c2f";
  made("span", " " + each.told.raw, cell);
  for (const text of [each.told.equal, each.told.multiple, each.longs, each.shorts, each.hours, each.closed]) {
    made("td", text, line);
  }
}
