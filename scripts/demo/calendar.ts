/**
 * The year that the demo replays: the months of the embedded orders, dealt to rounds. Which month a round is about follows
 * from the number of the round alone, so all shops agree on it without a word.
 */

export interface DemoMonth {
  /** Such as `Dec 2010`. */
  readonly label: string;
  /** Unix seconds: the first moment after it, in UTC. */
  readonly end: number;
}

/** December 2010 to the ninth of December 2011. */
export const monthCount = 13;
/** The last day with orders. */
export const lastDay = '2011-12-09';
const firstMonth = { year: 2010, month: 11 };

function monthAt(index: number): DemoMonth {
  const { year, month } = firstMonth;
  const start = new Date(Date.UTC(year, month + index, 1));
  return {
    label: `${start.toLocaleString('en', { month: 'short', timeZone: 'UTC' })} ${start.getUTCFullYear()}`,
    end: Date.UTC(year, month + index + 1, 1) / 1000,
  };
}

/**
 * The month up to whose end a round trains, where so many rounds make the year: the last one has all of it. A round that
 * failed keeps its number, and rounds beyond the year have all of it, too.
 * @param round 1 for the first.
 */
export function monthOfRound(round: number, rounds: number): DemoMonth {
  return monthAt(Math.ceil((Math.min(round, rounds) * monthCount) / rounds) - 1);
}

/** Of a round's name, as plans have it: `demo-3` is 3. */
export function roundNumber(round: string): number {
  return Number(/-(\d+)$/.exec(round)?.[1]);
}
