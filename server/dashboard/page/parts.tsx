/** Small parts that the sections are made of. */
import type { ComponentChildren, JSX } from 'preact';
import type { CestaError } from '../../../shared/protocol/errors.ts';

export function Section({ id, title, children }: { readonly id: string; readonly title: string; readonly children: ComponentChildren }): JSX.Element {
  return (
    <section id={id} aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title}</h2>
      {children}
    </section>
  );
}

export type Cell = ComponentChildren;

export interface TableProps {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  /** What each row is about, where rows that come before it must not take its elements, and the focus with them. */
  readonly keys?: readonly (string | number)[];
  readonly empty?: string;
}

/** Wide ones scroll by themselves; the page does not. Whoever has no mouse can reach that by the keyboard. */
export function Table({ caption, columns, rows, keys = [], empty = 'None yet.' }: TableProps): JSX.Element {
  if (rows.length === 0) return <p class="quiet">{empty}</p>;
  return (
    <div class="table" role="region" aria-label={caption} tabIndex={0}>
      <table>
        <caption>{caption}</caption>
        <thead><tr>{columns.map((column) => <th scope="col" key={column}>{column}</th>)}</tr></thead>
        <tbody>
          {rows.map((cells, index) => (
            <tr key={keys[index] ?? index}>{cells.map((cell, at) => (at === 0 ? <th scope="row" key={at}>{cell}</th> : <td key={at}>{cell}</td>))}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Facts({ facts }: { readonly facts: readonly (readonly [string, Cell])[] }): JSX.Element {
  return <dl class="facts">{facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}

export function Failure({ error }: { readonly error: CestaError | null }): JSX.Element | null {
  return error === null ? null : <p class="failure" role="alert"><strong>{error.code}</strong> {error.message}</p>;
}

/** A field of a form, without the blanks around it. */
export function fieldOf(form: HTMLFormElement, name: string): string {
  const value = new FormData(form).get(name);
  return typeof value === 'string' ? value.trim() : '';
}

export function Time({ iso }: { readonly iso: string | null }): JSX.Element {
  if (iso === null) return <span>not yet</span>;
  return <time dateTime={iso}>{new Date(iso).toLocaleString(undefined, { dateStyle: 'short', timeStyle: 'medium' })}</time>;
}
