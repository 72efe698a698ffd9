/**
 * The one setting everything hangs off: four choices of equal weight, each with what it means in words. Choosing and saving are
 * two steps in either direction: arrow keys pass over choices, and none of them shall be given, or erase anything, in passing.
 */
import { CestaError } from '../../../shared/protocol/errors.ts';
import type { Degree } from '../../../shared/commerce/consent.ts';
import { make } from './elements.ts';
import type { PanelSection, PanelView } from './section.ts';
import { fill } from './words.ts';

const degrees = [0, 1, 2, 3] as const satisfies readonly Degree[];

export function noticeSection({ context: { cesta, options }, words: { texts } }: PanelView): PanelSection {
  const { what, why, where } = options.notices?.[texts.language] ?? texts.notice;
  return {
    data: () => cesta.privacy.notice,
    build() {
      const url = cesta.privacy.notice?.url;
      return [
        make('h3', {}, texts.panel.noticeHeading),
        make('ul', { part: 'notice', class: 'notice' }, ...[what, why, where].map((text) => make('li', {}, text))),
        ...(url === undefined ? [] : [make('a', { href: url, 'data-key': 'notice:' }, texts.panel.longNotice)]),
      ];
    },
  };
}

export function degreeSection(view: PanelView): PanelSection {
  const { context: { cesta }, words: { texts: { panel, degrees: texts } } } = view;

  let isAsking = false;
  async function choose(degree: Degree, despiteGpc: boolean, refused: () => void): Promise<void> {
    const { notice } = cesta.privacy;
    // A second press while the first is on its way would ask for a second receipt. Lowering waits for nothing.
    if (isAsking && degree > cesta.privacy.degree) return;
    isAsking = true;
    try {
      await cesta.consent({ degree, ...(notice === null ? {} : { notice: notice.version }), ...(despiteGpc ? { despiteGpc } : {}) });
      view.say(fill(panel.saved, { degree: texts[cesta.privacy.degree].name }));
    } catch (error) {
      view.fail(error);
      refused();
    } finally {
      isAsking = false;
    }
  }

  return {
    data: () => [cesta.privacy.degree, cesta.privacy.chosen, cesta.privacy.cap],
    build() {
      const { degree: inForce, cap } = cesta.privacy;
      // Above Global Privacy Control a person may go who has seen it; above what they told a consent tool, only there.
      const isOutOfReach = (degree: Degree): boolean => cap !== null && cap.by !== 'gpc' && degree > cap.degree;
      const second = make('div');
      const saver = make('button', { part: 'button save', 'data-key': 'save:' }, panel.save);
      // What is ticked is what is in force.
      const refused = (): void => {
        const hadFocus = second.matches(':focus-within');
        form.reset();
        second.replaceChildren();
        if (hadFocus) saver.focus();
      };
      const save = (event: Event): void => {
        event.preventDefault();
        const degree = Number(new FormData(form).get('degree')) as Degree;
        if (cap === null || cap.by !== 'gpc' || degree <= cap.degree) return void choose(degree, false, refused);
        const sure = make('button', { type: 'button', part: 'button', 'data-key': 'gpc:', onclick: () => void choose(degree, true, refused) }, fill(panel.despiteGpc, { degree: texts[degree].name }));
        second.replaceChildren(sure);
        sure.focus();
      };
      const form = make('form', { onsubmit: save, onchange: () => second.replaceChildren() },
        make('fieldset', { part: 'degrees' }, make('legend', {}, panel.degree), ...degrees.map((degree) => {
          const radio = make('input', { type: 'radio', name: 'degree', value: degree, 'data-key': `degree:${degree}`, disabled: isOutOfReach(degree), checked: degree === inForce });
          return make('label', { part: 'choice' }, radio, make('span', {}, make('b', {}, texts[degree].name), '. ', texts[degree].means));
        }), ...(cap === null ? [] : [make('p', { part: 'cap' }, fill(panel.cap[cap.by], { degree: texts[cap.degree].name }))]),
        saver, second));
      return [form, make('p', {}, panel.withdrawal), make('p', {}, panel.noise)];
    },
  };
}

/** An error in words that a shopper can act on. */
export function errorText(error: unknown, { words: { texts: { panel: { errors } } } }: PanelView): string {
  const code = error instanceof CestaError ? error.code : 'internal';
  switch (code) {
    case 'consent.notice':
      return errors.notice;
    case 'consent.capped':
      return errors.capped;
    case 'consent.needed':
      return errors.needed;
    case 'network.unreachable':
      return errors.unreachable;
    case 'data.unreadable':
      return errors.unreadable;
    default:
      return fill(errors.other, { code });
  }
}
