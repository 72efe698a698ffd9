/** What the releases are worth: measured by somebody with purchases to measure with, and scored by shops where there is a gate. */
import type { JSX } from 'preact';
import { QualityChart } from '../charts/quality-chart.tsx';
import { Section, Table } from '../parts.tsx';
import type { Documents, Measured } from '../store.ts';
import { figure } from '../words.ts';

export function QualitySection({ measured, documents }: { readonly measured: Measured; readonly documents: Documents | null }): JSX.Element {
  return (
    <Section id="quality" title="Quality">
      <Figures measured={measured} task={documents?.task ?? null} />
      <Gate documents={documents} />
    </Section>
  );
}

function Figures({ measured, task }: { readonly measured: Measured; readonly task: string | null }): JSX.Element {
  switch (measured.kind) {
    case 'unknown':
      return <p class="quiet">Not asked yet.</p>;
    case 'none':
      if (measured.error.code !== 'data.not-found') return <p class="failure"><strong>{measured.error.code}</strong> {measured.error.message}</p>;
      return (
        <p>
          Nobody has measured the releases. The coordinator has no purchases to measure with; whoever has some can: <code>cesta evaluate --data ORDERS.csv --json</code> measures
          the yardsticks, and <code>cesta serve --quality FILE</code> shows here what is in the file, as <a href="../v1/openapi.json">GET /v1/quality</a> has it.
        </p>
      );
    case 'measured': {
      const { baselines, releases, note } = measured.quality;
      const own = releases.filter((release) => release.task === task).toSorted((a, b) => a.version - b.version);
      return (
        <>
          <QualityChart baselines={baselines} releases={own} />
          {note !== '' && <p class="quiet">{note}</p>}
        </>
      );
    }
    default:
      return measured satisfies never;
  }
}

function Gate({ documents }: { readonly documents: Documents | null }): JSX.Element | null {
  const scored = (documents?.rounds ?? []).flatMap(({ number, result }) => (result === null ? [] : [{ number, result }]));
  if (scored.length === 0) return null;
  return (
    <>
      <h3>What shops scored</h3>
      <p class="quiet">Sums over shoppers, with noise: shops rank each shopper's last basket with the candidate and with what is served.</p>
      <Table
        caption="Scores of the gate, newest first"
        columns={['round', 'decision', 'score of what is served', 'gain of the candidate', 'standard deviation of the noise', 'shoppers scored']}
        rows={scored.toReversed().map(({ number, result: { decision, served, gain, noiseStd, testable } }) => [number, decision, figure(served), figure(gain), figure(noiseStd), figure(testable)])}
      />
    </>
  );
}
