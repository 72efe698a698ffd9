/** Implicit ALS by the book, dense and slow: what the model's sums must lead to. */
import { denseInverse } from '../dense.ts';

export interface Textbook {
  readonly touched: readonly (readonly number[])[];
  readonly unobserved: number;
  readonly shopperRegularisation: number;
  readonly itemRegularisation: number;
  readonly frequencyPower: number;
}

type Rows = readonly (readonly number[])[];

export const rowsOf = (values: ArrayLike<number>, width: number): number[][] => Array.from({ length: values.length / width }, (_, row) => Array.from({ length: width }, (_, k) => values[row * width + k]));
export const inner = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, k) => sum + value * b[k], 0);
const solved = (matrix: Rows, right: readonly number[]): number[] => denseInverse(matrix).map((row) => inner(row, right));

/** sum of weight x x^T + ridge */
function normal(weighted: readonly { readonly weight: number; readonly x: readonly number[] }[], width: number, ridge: number): number[][] {
  return Array.from({ length: width }, (_, a) => Array.from({ length: width }, (_, b) => weighted.reduce((sum, { weight, x }) => sum + weight * x[a] * x[b], a === b ? ridge : 0)));
}

export const countOf = (items: readonly number[]): number => 1 / Math.sqrt(items.length);

export function shopperRidge({ unobserved, shopperRegularisation, frequencyPower }: Textbook, size: number, items: number): number {
  return shopperRegularisation * (size + unobserved * items) ** frequencyPower;
}

export function shopperFactors(book: Textbook, v: Rows): number[][] {
  const width = v[0].length;
  return book.touched.map((items) => {
    const matrix = normal(v.map((x, item) => ({ weight: book.unobserved + (items.includes(item) ? 1 : 0), x })), width, shopperRidge(book, items.length, v.length));
    return solved(matrix, Array.from({ length: width }, (_, k) => items.reduce((sum, item) => sum + v[item][k], 0)));
  });
}

export function itemRidge({ touched, unobserved, itemRegularisation, frequencyPower }: Textbook, item: number): number {
  const popularity = touched.reduce((sum, items) => sum + (items.includes(item) ? countOf(items) : 0), 0);
  return itemRegularisation * (popularity + unobserved * touched.length) ** frequencyPower;
}

export function itemFactors(book: Textbook, u: Rows, start: Rows): number[][] {
  const width = start[0].length;
  return start.map((p, item) => {
    const ridge = itemRidge(book, item);
    const matrix = normal(u.map((x, shopper) => ({ weight: countOf(book.touched[shopper]) * (book.unobserved + (book.touched[shopper].includes(item) ? 1 : 0)), x })), width, ridge);
    const right = Array.from({ length: width }, (_, k) => u.reduce((sum, x, shopper) => sum + (book.touched[shopper].includes(item) ? countOf(book.touched[shopper]) * x[k] : 0), ridge * p[k]));
    return solved(matrix, right);
  });
}

/** What ALS minimises. */
export function objective(book: Textbook, u: Rows, v: Rows, start: Rows): number {
  const shoppers = book.touched.reduce((sum, items, shopper) => {
    const x = u[shopper];
    const fit = v.reduce((fits, y, item) => fits + book.unobserved * inner(x, y) ** 2 + (items.includes(item) ? (1 - inner(x, y)) ** 2 : 0), 0);
    return sum + countOf(items) * (fit + shopperRidge(book, items.length, v.length) * inner(x, x));
  }, 0);
  return v.reduce((sum, y, item) => {
    const away = y.map((value, k) => value - start[item][k]);
    return sum + itemRidge(book, item) * inner(away, away);
  }, shoppers);
}
