/** Take a copy, bring one back, erase everything, and the receipts of what was chosen. */
import { CestaError } from '../../../shared/protocol/errors.ts';
import { make } from './elements.ts';
import { foldable, type PanelSection, type PanelView } from './section.ts';
import { fill } from './words.ts';

const readWithinMs = 60_000;

export function dataSection(view: PanelView): PanelSection {
  const { context: { cesta }, words: { texts: { panel } } } = view;

  /** Says what was done, or what prevented it. */
  function run(done: string, action: () => Promise<void>): void {
    action().then(() => view.say(done), view.fail);
  }

  function eraseButton(): HTMLElement {
    const holder = make('div', { class: 'actions' });
    const ask = (): void => {
      const yes = make('button', { type: 'button', part: 'button erase', 'data-key': 'erase:', onclick: () => (rest(), run(panel.erased, () => cesta.forget())) }, panel.eraseYes);
      holder.replaceChildren(make('p', {}, panel.eraseSure), yes, make('button', { type: 'button', part: 'button', onclick: rest }, panel.keep));
      yes.focus();
    };
    function rest(): void {
      const hadFocus = holder.matches(':focus-within');
      const erase = make('button', { type: 'button', part: 'button erase', 'data-key': 'erase:', onclick: ask }, panel.erase);
      holder.replaceChildren(erase);
      if (hadFocus) erase.focus();
    }
    rest();
    return holder;
  }

  return {
    data: () => null,
    build() {
      const file = make('input', {
        type: 'file', accept: 'application/json,.json', 'data-key': 'import:',
        onchange: () => {
          const [chosen] = file.files ?? [];
          if (chosen !== undefined) run(panel.imported, async () => cesta.import(parse(await chosen.text())));
          // So that the same file can be chosen again.
          file.value = '';
        },
      });
      return [
        make('h3', {}, panel.data),
        make('div', { class: 'actions' }, make('button', { type: 'button', part: 'button export', 'data-key': 'export:', onclick: () => void cesta.export().then(download, view.fail) }, panel.export)),
        make('label', { class: 'file' }, panel.import, file),
        eraseButton(),
      ];
    },
  };
}

/** @throws CestaError `data.unreadable` */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CestaError('data.unreadable', 'file: expected JSON', { cause });
  }
}

function download(exported: unknown): void {
  const url = URL.createObjectURL(new Blob([JSON.stringify(exported, null, 2)], { type: 'application/json' }));
  make('a', { href: url, download: 'cesta.json' }).click();
  // Some browsers read it only after this task.
  setTimeout(() => URL.revokeObjectURL(url), readWithinMs);
}

export function receiptsSection({ context: { cesta }, words }: PanelView): PanelSection {
  const fold = foldable('receipts');
  const { panel, degrees } = words.texts;
  return {
    data: () => cesta.privacy.receipts,
    build() {
      const { receipts } = cesta.privacy;
      return [fold(panel.receipts, receipts.length === 0 ? make('p', {}, panel.noReceipts) : make('ul', { part: 'receipts', class: 'items receipts' }, ...receipts.map(({ record }) => {
        const { degree, time } = record.events[record.events.length - 1];
        return make('li', {}, fill(panel.receipt, { degree: degrees[degree].name, date: words.date(time), notice: record.notice.version }), make('code', { dir: 'ltr' }, record.record_id));
      })))];
    },
  };
}
