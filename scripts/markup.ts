/** HTML and SVG as text: what is put into a template is escaped, since names may come from outside. */

/** Text that is markup already. */
export interface Markup {
  readonly markup: string;
}

export type Content = string | number | Markup | null | readonly Content[];

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\'': '&#39;' };

/** For elements and for attributes in quotes. */
export function escapeMarkup(words: string): string {
  return withoutControls(words).replace(/[&<>"']/g, (character) => entities[character]);
}

/** XML 1.0 has no way to write most control characters. */
export function withoutControls(words: string): string {
  return words.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '');
}

/** @example html`<p>${'a < b'}</p>`.markup; // <p>a &lt; b</p> */
export function html(parts: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  return { markup: parts.reduce((text, part, index) => `${text}${render(contents[index - 1])}${part}`) };
}

function render(content: Content): string {
  if (content === null) return '';
  if (typeof content === 'string') return escapeMarkup(content);
  if (typeof content === 'number') return String(content);
  return 'markup' in content ? content.markup : content.map(render).join('');
}
