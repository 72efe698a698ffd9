/**
 * The look of the widgets: the page's own font and colours unless a custom property says otherwise, so that dark pages and
 * forced colours need nothing of their own. Lengths grow with the text.
 */
import { stylesheet } from './elements.ts';

export const commonRules = `
:host{display:block;font:var(--cesta-font,inherit);color:var(--cesta-text,inherit);--edge:1px solid var(--cesta-border,currentColor)}
:host([hidden]){display:none}
*{box-sizing:border-box}
h2,h3,p,ul,dl,dd,fieldset{margin:0;padding:0}
ul{list-style:none}
h2{font-size:1.25em}
h3{font-size:1em}
a{color:var(--cesta-accent,inherit);display:inline-block;min-block-size:24px}
button,input,summary,label{font:inherit;min-block-size:24px}
button{color:inherit;background:none;border:var(--edge);border-radius:var(--cesta-radius,.4em);padding:.3em .8em;cursor:pointer}
input[type=radio],input[type=checkbox]{inline-size:24px;block-size:24px;flex:none;margin:0}
input{accent-color:var(--cesta-accent,auto)}
:focus-visible{outline:3px solid var(--cesta-focus,currentColor);outline-offset:2px}
.unseen{position:absolute;inline-size:1px;block-size:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
`;

const shelf = `
section{display:grid;gap:var(--cesta-gap,1em)}
h2{min-block-size:1.5em}
.controls{min-block-size:2.5em}
[part=message]:empty{display:none}
ul{display:grid;gap:inherit;grid-template-columns:repeat(auto-fill,minmax(min(var(--cesta-card-width,11em),100%),1fr))}
li{display:flex;flex-direction:column;gap:.4em;padding:.6em;min-block-size:var(--cesta-card-height,13em);background:var(--cesta-background,none);border:var(--edge);border-radius:var(--cesta-radius,.4em)}
.pictures li{min-block-size:var(--cesta-card-height,22.5em)}
li.coming{opacity:.4}
img{inline-size:100%;block-size:var(--cesta-image-height,9em);object-fit:contain}
h3{overflow-wrap:anywhere}
h3 button{border:0;padding:0;text-align:start;text-decoration:underline}
li>button{margin-block-start:auto;align-self:start}
.reason{font-size:.875em}
.controls,.controls label{display:flex;flex-wrap:wrap;gap:.5em 1em;align-items:center}
dialog{max-inline-size:min(46em,100%);color:CanvasText;background:Canvas;border:var(--edge)}
@media (prefers-reduced-motion:no-preference){li.coming{animation:coming 1.2s ease-in-out infinite alternate}@keyframes coming{to{opacity:.7}}}
`;

export function shelfStyles(): CSSStyleSheet[] {
  return [stylesheet(commonRules), stylesheet(shelf)];
}
