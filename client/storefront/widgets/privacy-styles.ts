/** The look of the privacy panel, as styles.ts is of the rest. */
import { stylesheet } from './elements.ts';
import { commonRules } from './styles.ts';

const panel = `
section,section>div,fieldset{display:grid;gap:.75em;grid-template-columns:minmax(0,1fr)}
section{max-inline-size:44em}
section>div:empty{display:none}
fieldset{border:var(--edge);border-radius:var(--cesta-radius,.4em);padding:.75em;min-inline-size:0}
legend,dt,summary{font-weight:bold}
summary{cursor:pointer}
label{display:flex;gap:.6em;align-items:start}
.items li,.actions{display:flex;flex-wrap:wrap;gap:.5em;align-items:center;margin-block:.3em}
.notice{list-style:disc;padding-inline-start:1.2em}
dd{margin-block-end:.5em}
.receipts{overflow-wrap:anywhere}
a,button,label.file{justify-self:start}
.file{flex-wrap:wrap}
[type=file]{max-inline-size:100%}
[role=alert]{font-weight:bold}
.said{position:sticky;inset-block-end:0;color:CanvasText;background:Canvas}
`;

export function panelStyles(): CSSStyleSheet[] {
  return [stylesheet(commonRules), stylesheet(panel)];
}
