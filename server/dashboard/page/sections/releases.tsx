/** What was released and what became of it; an operator decides here what is served. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type * as z from 'zod';
import { rejectedSchema, servedSchema } from '../../../http/admin-schemas.ts';
import { toCestaError, type CestaError } from '../../../../shared/protocol/errors.ts';
import { Failure, Section, Table, Time, type Cell } from '../parts.tsx';
import { askAsOperator, session } from '../session.ts';
import { refresh, type Documents, type Release } from '../store.ts';
import { figure, plural } from '../words.ts';

interface Decision {
  readonly title: string;
  readonly consequence: string;
  /** Below the releases of the task. */
  readonly path: string;
  readonly answer: z.ZodType<{ readonly version: number }>;
  readonly done: (version: number) => string;
}

/** Each question is one of its own, asked again or not. */
interface Asked {
  readonly decision: Decision;
  readonly number: number;
}

const promotion = (version: number): Decision => ({
  title: `Promote release ${version}`, path: `${version}/promote`, answer: servedSchema,
  consequence: 'It is served to every storefront from now on. The change is written to the public record and cannot be taken back, but rolled back.',
  done: (served) => `Release ${served} is served.`,
});
const rejection = (version: number): Decision => ({
  title: `Reject release ${version}`, path: `${version}/reject`, answer: rejectedSchema,
  consequence: 'It is not served. What its round cost of the privacy budget stays spent.',
  done: (rejected) => `Release ${rejected} is rejected.`,
});
const rollback: Decision = {
  title: 'Roll back', path: 'rollback', answer: servedSchema,
  consequence: 'What was served before is served again, as a new version. The change is written to the public record.',
  done: (served) => `Release ${served} is served: the parameters of the one before.`,
};

export function Releases({ documents }: { readonly documents: Documents | null }): JSX.Element {
  const [asked, setAsked] = useState<Asked | null>(null);
  const times = useRef(0);
  const [outcome, setOutcome] = useState('');
  const releases = documents?.releases ?? [];
  const cohorts = new Map((documents?.rounds ?? []).map(({ round, participants }) => [round, participants]));
  const isOperator = session.value !== null;
  const ask = (decision: Decision): void => {
    setOutcome('');
    times.current += 1;
    setAsked({ decision, number: times.current });
  };
  return (
    <Section id="releases" title="Releases">
      <Table
        caption="Releases, newest first"
        columns={['version', 'created', 'shoppers', 'cohort', 'epsilon', 'state', ...(isOperator ? ['decide'] : [])]}
        rows={releases.map((release) => [...describe(release, cohorts), ...(isOperator ? [<Buttons key="decide" release={release} ask={ask} />] : [])])}
        keys={releases.map(({ version }) => version)}
        empty="Nothing was released yet."
      />
      {isOperator && releases.some(({ state }) => state === 'serving') && <p><button type="button" onClick={() => ask(rollback)}>Roll back to what was served before</button></p>}
      {!isOperator && <p class="quiet">An operator who has <a href="#sign-in">signed in</a> can promote, reject and roll back here.</p>}
      <p role="status">{outcome}</p>
      {asked !== null && documents !== null && <Confirm key={asked.number} decision={asked.decision} task={documents.task} onEnd={(text) => {
        // A dialog tells of its end a little later: by then the next question may have been asked.
        setAsked((now) => (now === asked ? null : now));
        setOutcome(text);
      }} />}
    </Section>
  );
}

const states: Readonly<Record<Release['state'], string>> = { serving: 'served now', served: 'served before', candidate: 'candidate: held back', rejected: 'rejected' };

function describe({ version, createdAt, shoppers, round, epsilon, state, restores, canary }: Release, cohorts: ReadonlyMap<string, number | null>): Cell[] {
  const notes = [...(restores === null ? [] : [`the parameters of ${restores}`]), ...(canary === null ? [] : [`held by the canary for ${plural(canary.items.length, 'item')}`])];
  return [
    version, <Time iso={createdAt} />, figure(shoppers, 5), cohorts.get(round) ?? 'of an earlier page', epsilon === null ? 'nothing promised' : figure(epsilon, 4),
    <span class={`state ${state}`}>{[states[state], ...notes].join(', ')}</span>,
  ];
}

function Buttons({ release: { version, state }, ask }: { readonly release: Release; readonly ask: (decision: Decision) => void }): JSX.Element {
  return (
    <span class="buttons">
      {state !== 'serving' && <button type="button" onClick={() => ask(promotion(version))}>Promote<span class="hidden"> release {version}</span></button>}
      {state === 'candidate' && <button type="button" onClick={() => ask(rejection(version))}>Reject<span class="hidden"> release {version}</span></button>}
    </span>
  );
}

/** Says what will happen, and does it only then. */
function Confirm({ decision: { title, consequence, path, answer, done }, task, onEnd }: { readonly decision: Decision; readonly task: string; readonly onEnd: (outcome: string) => void }): JSX.Element {
  const [error, setError] = useState<CestaError | null>(null);
  const [isBusy, setBusy] = useState(false);
  const dialog = useRef<HTMLDialogElement>(null);
  const outcome = useRef('');
  useEffect(() => dialog.current?.showModal(), []);
  // Closed by the browser, which gives the focus back to where it was.
  const end = (text: string): void => {
    outcome.current = text;
    dialog.current?.close();
  };
  const act = async (): Promise<void> => {
    setBusy(true);
    try {
      const { version } = await askAsOperator(`/v1/admin/tasks/${encodeURIComponent(task)}/releases/${path}`, answer, { method: 'POST' });
      end(done(version));
      await refresh();
    } catch (thrown) {
      setError(toCestaError(thrown));
      setBusy(false);
    }
  };
  return (
    <dialog ref={dialog} aria-labelledby="confirm-title" onClose={() => onEnd(outcome.current)}>
      <h3 id="confirm-title">{title}?</h3>
      <p>{consequence}</p>
      <Failure error={error} />
      <p class="buttons">
        <button type="button" class="primary" disabled={isBusy} onClick={() => void act()}>{title}</button>
        <button type="button" onClick={() => end('')}>Cancel</button>
      </p>
    </dialog>
  );
}
