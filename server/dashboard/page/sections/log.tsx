/** The public record: its newest entries in words, and whether all of it adds up. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { toCestaError, type CestaError } from '../../../../shared/protocol/errors.ts';
import { latestEntries, type RecordHead } from '../log-entries.ts';
import { Facts, Failure, fieldOf, Section, Table } from '../parts.tsx';
import type { Verification } from '../verify.ts';
import { entryInWords, figure, plural } from '../words.ts';

const shownEntries = 20;

export function Log({ size }: { readonly size: number }): JSX.Element {
  const [head, setHead] = useState<RecordHead | null>(null);
  const [error, setError] = useState<CestaError | null>(null);
  useEffect(() => {
    let isCurrent = true;
    latestEntries(shownEntries).then((next) => {
      if (!isCurrent) return;
      setHead(next);
      setError(null);
    }, (thrown: unknown) => void (isCurrent && setError(toCestaError(thrown))));
    return () => void (isCurrent = false);
  }, [size]);
  return (
    <Section id="log" title="Public record">
      <Facts facts={[['Entries', size], ['Root of its Merkle tree', head === null ? 'not read yet' : <code class="long">{head.root}</code>]]} />
      <Failure error={error} />
      <Verify />
      <Table caption="Newest entries" columns={['entry', 'what it says']} rows={(head?.entries ?? []).map(({ index, entry }) => [index, entryInWords(entry)])} empty="The record is empty." />
    </Section>
  );
}

type Outcome = { readonly kind: 'none' } | { readonly kind: 'busy' } | { readonly kind: 'failed'; readonly error: CestaError } | { readonly kind: 'verified'; readonly verification: Verification };

function Verify(): JSX.Element {
  const [outcome, setOutcome] = useState<Outcome>({ kind: 'none' });
  const verify = async (form: HTMLFormElement): Promise<void> => {
    const key = fieldOf(form, 'key');
    setOutcome({ kind: 'busy' });
    try {
      const { verifyRecord } = await import('../verify.ts');
      setOutcome({ kind: 'verified', verification: await verifyRecord(key === '' ? null : key) });
    } catch (thrown) {
      setOutcome({ kind: 'failed', error: toCestaError(thrown) });
    }
  };
  return (
    <form class="verify" onSubmit={(event) => {
      event.preventDefault();
      void verify(event.currentTarget);
    }}>
      <p><label for="key">Key of the coordinator, if you know it</label><input id="key" name="key" autocomplete="off" pattern="[0-9a-f]{64}" title="64 digits, 0 to 9 and a to f" /></p>
      <p><button type="submit" disabled={outcome.kind === 'busy'}>Verify in this browser</button></p>
      <div id="verification" role="status">{outcome.kind === 'busy' ? <p>Every entry is read and checked.</p> : outcome.kind === 'verified' ? <Verified verification={outcome.verification} /> : null}</div>
      <Failure error={outcome.kind === 'failed' ? outcome.error : null} />
    </form>
  );
}

function Verified({ verification: { publicKey, size, cosignedBy, tasks, findings } }: { readonly verification: Verification }): JSX.Element {
  if (findings.length > 0) {
    return (
      <div class="failure">
        <p><strong>The record does not add up.</strong></p>
        <ul>{findings.map(({ index, reason }) => <li key={reason}>{index === null ? reason : `Entry ${index}: ${reason}`}</li>)}</ul>
      </div>
    );
  }
  return (
    <div class="success">
      <p><strong>The record adds up.</strong> {plural(size, 'entry', 'entries')} under the signature of <code class="long">{publicKey}</code>{cosignedBy.length === 0 ? '' : `, cosigned by ${cosignedBy.join(', ')}`}; what is served is what it says.</p>
      <ul>{tasks.map(({ task, charged, released, epsilon, version }) => <li key={task}>{task}: {plural(charged, 'round')} charged, {released} released, {epsilon === null ? 'nothing promised' : `epsilon ${figure(epsilon, 6)} computed from the plans`}{version === null ? '' : `, release ${version} served`}.</li>)}</ul>
      <p class="quiet">The scripts of this page come from the same coordinator. Whoever distrusts it runs <code>cesta verify</code> from a copy of their own.</p>
    </div>
  );
}
