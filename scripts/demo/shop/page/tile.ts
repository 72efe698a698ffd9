/**
 * A picture for a product without one: drawn from the words of its title, the same each time, and fetched from nowhere. As a
 * data URL: an address with an id in it would tell a server what is looked at.
 */
import type { Product } from './products.ts';

/** What a title names, in a square of 100; the first that fits is drawn. */
const shapes: readonly (readonly [RegExp, string])[] = [
  [/heart|love/, 'M50 80C18 56 14 40 24 28c10-10 22-5 26 7 4-12 16-17 26-7 10 12 6 28-26 52z'],
  [/star|snowflake/, 'M50 16l10 23 25 2-19 17 6 25-22-13-22 13 6-25-19-17 25-2z'],
  [/christmas|tree|xmas/, 'M50 14l18 24H58l18 22H62l18 20H20l18-20H24l18-22H32zM45 80h10v10H45z'],
  [/bag|shopper|purse/, 'M24 40h52l6 44H18zM36 40c0-26 28-26 28 0h-6c0-17-16-17-16 0z'],
  [/teapot|tea |cup|mug|coffee/, 'M22 36h46v24c0 14-8 22-23 22S22 74 22 60zM70 42c16-2 16 24-2 26v-7c8-1 8-13 2-12zM36 18c6 6-4 8 2 14h-4c-6-6 4-8-2-14zM52 18c6 6-4 8 2 14h-4c-6-6 4-8-2-14z'],
  [/cake|muffin|bak/, 'M22 56h56l-6 28H28zM26 52c-6-16 12-16 12-16 2-14 24-14 26 0 0 0 16 0 10 16zM50 14a6 6 0 110 12 6 6 0 010-12z'],
  [/light|candle|lantern|lamp/, 'M40 46h20v40H40zM50 12c12 16 10 28 0 28s-12-12 0-28z'],
  [/necklace|bracelet|ring|earring|charm|diamante|bead/, 'M50 42a22 22 0 110 44 22 22 0 010-44zm0 8a14 14 0 100 28 14 14 0 000-28zM38 22h24l8 10-20 14-20-14z'],
  [/flower|rose|daisy|lily|garden|plant|herb/, 'M50 34a10 10 0 110-20 10 10 0 010 20zm0 26a10 10 0 110-20 10 10 0 010 20zM37 47a10 10 0 11-20 0 10 10 0 0120 0zm46 0a10 10 0 11-20 0 10 10 0 0120 0zM47 60h6v28h-6zM53 76c4-10 16-12 20-10-2 10-10 14-20 12z'],
  [/bird|hen|rabbit|owl|dog|cat|butterfly/, 'M20 58c0-22 16-30 30-30 4-8 18-8 20 2l12 4-11 6c2 26-12 38-28 38-14 0-23-8-23-20zM46 78h4v12h-4zm10-1h4v13h-4z'],
  [/clock|watch/, 'M50 16a34 34 0 110 68 34 34 0 010-68zm0 8a26 26 0 100 52 26 26 0 000-52zM47 30h6v18l12 10-4 5-14-12z'],
  [/card|wrap|paper|notebook|letter|sticker|tape/, 'M16 28h68v46H16zm7 5l27 20 27-20zM22 38v30h56V38L50 60z'],
  [/jar|bottle|glass|tin|jug|vase/, 'M38 14h24v10H38zM34 28h32c10 8 10 14 10 20v32c0 4-2 6-6 6H30c-4 0-6-2-6-6V48c0-6 0-12 10-20z'],
  [/frame|mirror|picture|sign|chalkboard/, 'M18 22h64v58H18zm10 10v38h44V32zM34 64l10-16 8 10 6-6 8 12z'],
  [/box|drawer|cabinet|storage|case/, 'M18 34l32-14 32 14v42L50 90 18 76zm6 6v32l23 10V50zm52 0L53 50v32l23-10z'],
];
const basket = 'M14 44h72l-8 40H22zM30 44c0-34 40-34 40 0h-6c0-25-28-25-28 0z';

const hues: readonly (readonly [RegExp, number])[] = [
  [/pink|rose|sweetheart/, 335], [/red|cherry|strawberry|christmas/, 5], [/blue|sky|navy/, 212], [/green|woodland|garden|herb/, 130], [/purple|lavender|lilac/, 275], [/yellow|gold|lemon|daisy/, 45], [/wood|brown|chocolate|copper/, 25], [/turquoise|aqua|mint/, 175],
];

export function tileOf({ id, title }: Pick<Product, 'id' | 'title'>): string {
  const text = title.toLowerCase();
  const number = hashOf(id + title);
  const hue = hues.find(([words]) => words.test(text))?.[1] ?? number % 360;
  const shape = shapes.find(([words]) => words.test(text))?.[1] ?? basket;
  const step = 14 + (number % 4) * 4;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 120"><defs><pattern id="p" width="${step}" height="${step}" patternUnits="userSpaceOnUse" patternTransform="rotate(${(number >>> 8) % 180})">`
    + `<circle cx="${step / 2}" cy="${step / 2}" r="${2 + (number % 3)}" fill="hsl(${hue} 60% 82%)"/></pattern></defs><path fill="hsl(${hue} 55% 91%)" d="M0 0h120v120H0z"/><path fill="url(#p)" d="M0 0h120v120H0z"/>`
    + `<circle cx="60" cy="60" r="46" fill="hsl(${hue} 50% 97%)"/><path transform="translate(22 22) scale(.76)" fill="hsl(${(hue + (number % 5) * 6) % 360} 48% ${36 + (number % 4) * 4}%)" fill-rule="evenodd" d="${shape}"/></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}
