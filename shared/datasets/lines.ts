/** Text cut into its physical lines, with their numbers, without a copy of the whole. */

export interface LineCursor {
  /** The number of the line that `next` returned last, 1-based. */
  readonly number: number;
  /** The next line without its end, or undefined after the last. */
  next(): string | undefined;
  /** Where to come back to. */
  mark(): () => void;
}

/** Lines end with \n, \r\n or, in a text without any \n, \r. A byte order mark at the start is passed over. */
export function lineCursor(text: string): LineCursor {
  const lineEnd = text.includes('\n') ? '\n' : '\r';
  let offset = text.startsWith('\uFEFF') ? 1 : 0;
  let number = 0;
  return {
    get number() {
      return number;
    },
    next() {
      if (offset >= text.length) return undefined;
      const found = text.indexOf(lineEnd, offset);
      const end = found === -1 ? text.length : found;
      const line = text.slice(offset, text[end - 1] === '\r' && end > offset ? end - 1 : end);
      offset = end + 1;
      number += 1;
      return line;
    },
    mark() {
      const [markedOffset, markedNumber] = [offset, number];
      return () => {
        offset = markedOffset;
        number = markedNumber;
      };
    },
  };
}

/** Calls `visit` for every line that is not blank. */
export function forEachLine(text: string, visit: (line: string, number: number) => void): void {
  const cursor = lineCursor(text);
  for (let line = cursor.next(); line !== undefined; line = cursor.next()) {
    if (line.trim() !== '') visit(line, cursor.number);
  }
}

/** The first line that is not blank; the empty string when there is none. */
export function firstLine(text: string): string {
  const cursor = lineCursor(text);
  for (let line = cursor.next(); line !== undefined; line = cursor.next()) if (line.trim() !== '') return line;
  return '';
}
