/** "What left this page": the account beside the controls that decide about it. */
import type { JSX } from 'preact';
import { CestaPrivacy } from './elements.tsx';
import { number, words } from './language.ts';
import { Noise } from './noise.tsx';
import { privacy } from './shop.ts';
import { aboutYou, downloads, frames, reports, requests, rows } from './traffic.ts';

export function Drawer(): JSX.Element {
  const { drawer } = words.value;
  const { degree } = privacy.value;
  return (
    <aside id="drawer" data-degree={degree} aria-labelledby="drawer-title">
      <h2 id="drawer-title">{drawer.title}</h2>
      <Headline />
      <p>{drawer.explain[degree]}</p>
      <section id="degree" tabIndex={-1} aria-label={drawer.settings}><CestaPrivacy /></section>
      <Rounds />
      <Fetched />
    </aside>
  );
}

function format(value: number): string {
  return number.value.format(value);
}

/** Told to who listens when it changes: once a message, not once a byte. */
function Headline(): JSX.Element {
  const { drawer } = words.value;
  const { count, bytes } = aboutYou.value;
  return <p role="status" class="headline" data-messages={count} data-bytes={bytes}>{count === 0 ? drawer.none : drawer.some(count, format(bytes))}</p>;
}

function Rounds(): JSX.Element {
  const { drawer } = words.value;
  const { epsilon, participation, degree } = privacy.value;
  return (
    <section aria-labelledby="rounds">
      <h3 id="rounds">{drawer.reports}</h3>
      {reports.value.length === 0 && <p>{drawer.noReports}</p>}
      <ul>{reports.value.map((report) => <li key={report.round}>{drawer.report(report.round, format(report.bytes))}<Noise report={report} /></li>)}</ul>
      {frames.value.count > 0 && <p>{drawer.frames(frames.value.count, format(frames.value.bytes))}</p>}
      {degree === 3 && <p>{drawer.participation[participation]}</p>}
      {epsilon.spent > 0 && <p>{drawer.epsilon(epsilon.spent.toFixed(2), epsilon.bound.toFixed(2))}</p>}
    </section>
  );
}

function Fetched(): JSX.Element {
  const { drawer } = words.value;
  return (
    <section aria-labelledby="fetched">
      <h3 id="fetched">{drawer.fetched}</h3>
      <p class="downloads" data-count={downloads.value.count} data-bytes={downloads.value.bytes}>{drawer.downloads(downloads.value.count, format(downloads.value.bytes))}</p>
      {requests.value.count > 0 && <p>{drawer.requests(requests.value.count, format(requests.value.bytes))}</p>}
      <p>{drawer.reload}</p>
      <details>
        <summary>{drawer.list}</summary>
        <table>
          <thead><tr><th scope="col">{drawer.columns.what}</th><th scope="col">{drawer.columns.bytes}</th></tr></thead>
          <tbody>{rows.value.map((row, index) => <tr key={index}><td dir="ltr">{row.kind === 'download' ? `GET ${row.path}` : row.kind === 'request' ? `${row.method} ${row.path}` : row.type}</td><td>{format(row.bytes)}</td></tr>)}</tbody>
        </table>
      </details>
    </section>
  );
}
