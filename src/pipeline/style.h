// The style sheet of report.html: light and dark, phone and paper.
#pragma once

#include <string_view>

namespace cupel::pipeline {

/// Series colours .s0 to .s7 are those of Okabe and Ito (2008), told apart by colour-blind readers;
/// in the dark their lightness is raised. Nothing is fetched: the fonts are the system's.
inline constexpr std::string_view kStyleSheet = R"css(
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #1b2330; --soft: #5d6878; --line: #e1e5eb;
  --grid: #e9ecf1; --good: #0a7a56; --bad: #b3401a; --run: #0b63a5; --heat: 0, 98, 165;
  --s0: #0072b2; --s1: #d55e00; --s2: #009e73; --s3: #b8548f; --s4: #b07d00; --s5: #2f93c9;
  --s6: #6b7280; --s7: #7a4fb5;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #11151b; --card: #191f28; --ink: #e6eaf0; --soft: #98a3b3; --line: #2b3440;
    --grid: #252d38; --good: #3fc796; --bad: #ff8a5c; --run: #6cb8f0; --heat: 92, 178, 240;
    --s0: #5cb2f0; --s1: #ff8f45; --s2: #37c79a; --s3: #e58fc0; --s4: #e6b53a; --s5: #8fd3f7;
    --s6: #a3acb9; --s7: #b79af0;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); line-height: 1.5;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 28px 20px 56px; }
h1 { font-size: 26px; line-height: 1.2; margin: 0 0 4px; letter-spacing: -0.01em; }
h2 { font-size: 20px; margin: 40px 0 14px; letter-spacing: -0.01em; }
h3 { font-size: 15px; margin: 26px 0 10px; }
p { margin: 6px 0; }
a { color: var(--run); }
.note, figcaption small { color: var(--soft); font-size: 13px; }
.badge { display: inline-block; border: 1px solid currentColor; border-radius: 99px;
  padding: 1px 10px; font-size: 13px; font-weight: 600; vertical-align: 4px; margin-left: 10px; }
.good { color: var(--good); } .bad { color: var(--bad); } .busy { color: var(--run); }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(158px, 1fr)); gap: 12px;
  margin: 16px 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 12px 14px; }
.tile dt { color: var(--soft); font-size: 13px; }
.tile dd { margin: 0; font-size: 22px; font-weight: 600; font-variant-numeric: tabular-nums;
  letter-spacing: -0.01em; overflow-wrap: anywhere; }
.tile dd.note { font-size: 12.5px; font-weight: 400; letter-spacing: 0; line-height: 1.35; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 440px), 1fr));
  gap: 14px; margin: 16px 0; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 12px 14px 8px; min-width: 0; }
figcaption { font-weight: 600; font-size: 14px; display: flex; flex-wrap: wrap; gap: 2px 14px;
  align-items: baseline; margin-bottom: 4px; }
figcaption small { font-weight: 400; }
.legend { display: flex; flex-wrap: wrap; gap: 0 14px; list-style: none; margin: 0; padding: 0;
  font-size: 12.5px; color: var(--soft); }
.legend b { color: var(--ink); font-weight: 600; font-variant-numeric: tabular-nums; }
.legend svg { display: inline; width: 20px; height: 9px; margin-right: 5px; }
svg { display: block; width: 100%; height: auto; overflow: visible; }
svg text { font-size: 12px; fill: var(--soft); font-variant-numeric: tabular-nums; }
svg text.name, svg text.strong { fill: var(--ink); }
svg .grid { stroke: var(--grid); stroke-width: 1; }
svg .axis { stroke: var(--line); stroke-width: 1; }
svg .line { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
svg .dash { stroke-dasharray: 6 4; }
svg .faint { opacity: 0.22; stroke-width: 1; }
svg .mark { stroke: var(--card); stroke-width: 1.5; }
svg .hit { fill: transparent; stroke: none; } svg .hit:hover { fill: currentColor; }
svg .whisker { stroke-width: 2.5; stroke-linecap: round; }
svg .cell { fill: rgb(var(--heat)); }
.s0 { color: var(--s0); stroke: var(--s0); } .s1 { color: var(--s1); stroke: var(--s1); }
.s2 { color: var(--s2); stroke: var(--s2); } .s3 { color: var(--s3); stroke: var(--s3); }
.s4 { color: var(--s4); stroke: var(--s4); } .s5 { color: var(--s5); stroke: var(--s5); }
.s6 { color: var(--s6); stroke: var(--s6); } .s7 { color: var(--s7); stroke: var(--s7); }
.fill { fill: currentColor; stroke: none; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line);
  border-radius: 10px; margin: 10px 0; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { text-align: left; padding: 7px 14px; vertical-align: top;
  border-bottom: 1px solid var(--line); }
tbody tr:last-child > td { border-bottom: 0; }
th { color: var(--soft); font-weight: 600; font-size: 13px; }
td { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.num { text-align: right; white-space: nowrap; }
td .scroll { margin: 0; border: 0; }
.samples { display: grid; gap: 14px; margin: 12px 0; }
.sample { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 12px 14px; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 14px; }
.pair > div { min-width: 0; }
pre { margin: 4px 0 0; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 13px;
  line-height: 1.45; font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
pre.box { background: var(--page); border-radius: 8px; padding: 8px 10px; }
code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: 13px; }
details { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 10px 14px; margin: 10px 0; }
summary { cursor: pointer; font-weight: 600; font-size: 14px; }
details .scroll { border: 0; margin: 6px -14px -4px; }
@media (max-width: 640px) {
  main { padding: 18px 12px 40px; }
  .pair { grid-template-columns: 1fr; }
  .tiles { grid-template-columns: 1fr 1fr; gap: 8px; }
  .tile dd { font-size: 18px; }
  svg text { font-size: 17px; }
}
@media print {
  :root { --page: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #ccc; --grid: #e5e5e5; }
  main { max-width: none; padding: 0; }
  figure, .tile, .sample, tr { break-inside: avoid; }
  .charts { grid-template-columns: 1fr 1fr; }
  details::details-content { content-visibility: visible; height: auto; }
}
)css";

}  // namespace cupel::pipeline
