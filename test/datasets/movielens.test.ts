import { describe, expect, it } from 'vitest';
import { loadMovielens } from '../../shared/datasets/movielens.ts';
import { codeOf } from './code-of.ts';

const day = 86_400;
const ratings = [['1', '10', '5', '100'], ['1', '20', '4', String(day)], ['1', '30', '3', '300'], ['2', '20', '4.5', '100']];
const forms: [string, string][] = [
  ['u.data', ratings.map((fields) => fields.join('\t')).join('\n')],
  ['ratings.dat', ratings.map((fields) => fields.join('::')).join('\n')],
  ['ratings.csv', ['userId,movieId,rating,timestamp', ...ratings.map((fields) => fields.join(','))].join('\r\n')],
];

describe('MovieLens ratings', () => {
  it.each(forms)('from %s make a history of what was rated 4 or better', (name, text) => {
    const { catalogue, shoppers, report } = loadMovielens(name, text);
    expect(shoppers.map(({ id, history }) => [id, Array.from(history.items, (item) => catalogue.products[item].id), [...history.visitTimes]])).toEqual([
      ['1', ['10', '20'], [100, day]],
      ['2', ['20'], [100]],
    ]);
    expect(report).toMatchObject({ lines: 4, used: 3, complaints: [{ kind: 'low-rating', count: 1, lines: [name.endsWith('csv') ? 4 : 3] }] });
  });

  it('count from the rating that was asked for', () => {
    expect(loadMovielens('u.data', forms[0][1], { minRating: 3 }).report.used).toBe(4);
    expect(loadMovielens('u.data', forms[0][1], { minRating: 5 }).report.used).toBe(1);
    expect(codeOf(() => loadMovielens('u.data', forms[0][1], { minRating: NaN }))).toBe('config.invalid');
  });

  it('that are malformed are reported with their lines', () => {
    const text = ['1\t10\t5\t100', '1\t10\t5', '1\t10\tgood\t100', '1\t10\t\t100', '\t10\t5\t100', '1\t10\t5\tsoon', '1::10::5::100'].join('\n');
    const { report } = loadMovielens('u.data', text);
    expect(report.complaints.map(({ kind, lines }) => [kind, lines])).toEqual([['field-count', [2, 7]], ['missing-shopper', [5]], ['bad-timestamp', [6]], ['bad-rating', [3, 4]]]);
    expect(report).toMatchObject({ lines: 7, used: 1 });
  });

  it('with a header that lacks a column are refused', () => {
    expect(() => loadMovielens('ratings.csv', 'userId,movieId,stars\n1,2,3')).toThrow('got userid, movieid, stars (missing: rating, timestamp)');
  });
});

describe('MovieLens titles', () => {
  const flags = (...set: number[]): string => Array.from({ length: 19 }, (_, index) => (set.includes(index) ? '1' : '0')).join('|');
  const expected = [
    { id: '10', title: 'Toy Story (1995)', category: "Animation|Children's" },
    { id: '20', title: 'Usual Suspects, The (1995)', category: 'Thriller' },
    { id: '30', title: '' },
    { id: '40', title: 'Unrated (1996)' },
  ];

  it.each([
    ['u.item', [`10|Toy Story (1995)|01-Jan-1995||http://x|${flags(3, 4)}`, `20|Usual Suspects, The (1995)|14-Aug-1995||http://x|${flags(16)}`, `40|Unrated (1996)|||http://x|${flags()}`]],
    ['movies.dat', ["10::Toy Story (1995)::Animation|Children's", '20::Usual Suspects, The (1995)::Thriller', '40::Unrated (1996)::']],
    ['movies.csv', ['movieId,title,genres', "10,Toy Story (1995),Animation|Children's", '20,"Usual Suspects, The (1995)",Thriller', '40,Unrated (1996),']],
  ])('from %s name the items, rated or not', (_, lines) => {
    expect(loadMovielens('u.data', forms[0][1], { minRating: 1, titles: lines.join('\n') }).catalogue.products).toEqual(expected);
  });

  it('without their columns are refused', () => {
    expect(codeOf(() => loadMovielens('u.data', forms[0][1], { titles: 'id,name\n1,x' }))).toBe('data.missing-column');
  });
});
