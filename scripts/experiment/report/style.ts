/** How a report looks: light or dark as the reader has it, one column on a phone, everything open on paper. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1b2126; --quiet: #55606a; --line: #c5ccd3; --panel: #f4f6f8; --accent: #0b5e8a; --grey: #5d6770;
  --s1: #0b5e8a; --s2: #b3480a; --s3: #1f6b34; --s4: #7a3e9d; --s5: #a31621; --s6: #5f6200; --s7: #00696f; --s8: #9a2469;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181c; --ink: #e9edf0; --quiet: #a9b4be; --line: #3c4650; --panel: #1d2329; --accent: #76c3ec; --grey: #a0abb5;
    --s1: #76c3ec; --s2: #f2a25c; --s3: #7fd495; --s4: #c9a0ec; --s5: #ff9a94; --s6: #cfd06a; --s7: #6fd6dc; --s8: #f09ad0;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
header, main, footer { max-width: 56rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.5rem; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.3rem; margin: 0 0 .5rem; }
h3 { font-size: 1.05rem; margin: 1.5rem 0 .25rem; }
p, ul { margin: .5rem 0; }
section { border-top: 1px solid var(--line); padding: 1.5rem 0 1rem; margin-top: 1rem; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.quiet { color: var(--quiet); font-size: .9375rem; }
.kind { color: var(--quiet); margin: 0; }
.answer { background: var(--panel); border-left: 4px solid var(--accent); padding: .25rem 1rem; margin: 1rem 0; }
.contents { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: .75rem 0 0; padding: 0; }
.contents a { display: inline-block; min-height: 1.75rem; }
summary { min-height: 1.75rem; padding: .125rem 0; cursor: pointer; color: var(--accent); }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
pre { background: var(--panel); padding: .75rem 1rem; border-radius: .375rem; white-space: pre-wrap; }
dl { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .25rem 1rem; margin: .75rem 0; }
dt { color: var(--quiet); }
dd { margin: 0; }
.table { overflow: auto; max-width: 100%; max-height: 32rem; }
.whole .table { max-height: none; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .375rem 0; }
th, td { text-align: left; vertical-align: top; padding: .375rem .875rem .375rem 0; border-bottom: 1px solid var(--line); overflow-wrap: normal; }
thead th { color: var(--quiet); background: var(--paper); font-weight: 600; position: sticky; top: 0; }
tbody th { font-weight: 600; min-width: 8rem; }
td { white-space: nowrap; }
figure { margin: 1rem 0 1.5rem; }
figcaption { font-weight: 600; margin-bottom: .25rem; }
.small { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr)); gap: 0 2rem; }
.small figure { min-width: 0; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .125rem 1.25rem; margin: .375rem 0; padding: 0; font-size: .9375rem; }
.legend li { display: flex; align-items: center; gap: .5rem; }
.legend svg { flex: none; overflow: visible; }
.chart.narrow { display: none; }
.chart svg { display: block; height: auto; max-width: 100%; overflow: visible; color: var(--ink); font: .75rem system-ui, sans-serif; }
.chart svg text { white-space: pre; }
.series path, .series line { stroke: var(--s); }
.series.mark path, .series.mark circle { fill: var(--paper); stroke: var(--s); stroke-width: 2; }
.series.bar rect { fill: var(--s); }
.s1 { --s: var(--s1); } .s2 { --s: var(--s2); } .s3 { --s: var(--s3); } .s4 { --s: var(--s4); }
.s5 { --s: var(--s5); } .s6 { --s: var(--s6); } .s7 { --s: var(--s7); } .s8 { --s: var(--s8); } .s0 { --s: var(--grey); }
.note text { fill: var(--quiet); stroke: var(--paper); stroke-width: 3px; paint-order: stroke; }
.divider line { stroke: var(--line); }
footer { padding-bottom: 2rem; }
@media (max-width: 44rem) {
  .chart.wide { display: none; }
  .chart.narrow { display: block; }
  h1 { font-size: 1.4rem; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .5rem; }
}
@media (forced-colors: active) {
  .chart svg, .legend svg { color: CanvasText; }
  .series path, .series line, .series.mark path, .series.mark circle, .divider line { stroke: CanvasText; }
  .series.mark path, .series.mark circle { fill: Canvas; }
  .series.bar rect { fill: CanvasText; }
  .note text { fill: CanvasText; stroke: Canvas; }
}
@media print {
  :root { color-scheme: light; }
  .chart.wide { display: block; }
  .chart.narrow, .contents { display: none; }
  details::details-content { content-visibility: visible; block-size: auto; }
  .table { overflow: visible; max-height: none; }
  summary { display: none; }
  table { font-size: .75rem; }
  td { white-space: normal; }
  th, td { padding-right: .5rem; }
  tbody th { min-width: 0; }
  thead th { position: static; }
  figure, tr { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
}
`;
