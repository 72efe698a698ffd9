/** Departments of the shop, told by the words of a title: the data has none. The first that fits is taken. */
export const departments = ['christmas', 'kitchen', 'light', 'bags', 'jewellery', 'paper', 'children', 'garden', 'home', 'more'] as const;
export type Department = (typeof departments)[number];

const words: Readonly<Record<Exclude<Department, 'more'>, RegExp>> = {
  christmas: /\b(christmas|xmas|advent|snowm[ae]n|santa|reindeer|bauble)/,
  kitchen: /\b(tea|teapot|cup|cups|mug|mugs|plate|bowl|cake|cakestand|jar|jars|kitchen|cutlery|spoon|napkins?|apron|lunch|bottle|baking|egg|jug|pantry|cookie|recipe|glass|tray|coaster|picnic|popcorn)/,
  light: /\b(light|lights|candle|candles|candlestick|lantern|lamp|t-light|incense)/,
  bags: /\b(bag|bags|purse|shopper|suitcase|luggage|backpack|wallet)/,
  jewellery: /\b(necklace|bracelet|earrings?|ring|brooch|diamante|charm|hair|bead|bangle|pendant)/,
  paper: /\b(card|cards|wrap|paper|notebook|pencils?|pen|pens|tape|tissue|ribbon|stickers?|stamps?|journal|envelopes?|letter)/,
  children: /\b(toy|toys|doll|dolly|childrens?|childs|girls?|boys?|spaceboy|playhouse|puppet|jigsaw|game|skittles|baby|kids|block)/,
  garden: /\b(garden|gardeners?|plant|bird|watering|doormat|parasol|herb|seeds?|bucket|gnome)/,
  home: /\b(clock|frame|mirror|cushion|hook|sign|box|drawer|cabinet|basket|holder|wall|decoration|hanging|tin|metal|wooden|heart|garland|rug|throw|quilt|chair|table)/,
};

/** @param title in lower case */
export function departmentOf(title: string): Department {
  return departments.find((name) => name !== 'more' && words[name].test(title)) ?? 'more';
}
