/** The backstage of the demo: break it, and see what holds. */
import { render, type JSX } from 'preact';
import '@preact/signals';
import { startPolling, state, trouble } from './api.ts';
import { AttackersViewPanel } from './attackers-view.tsx';
import { MaliciousShopPanel } from './malicious.tsx';

function Page(): JSX.Element {
  const { value: now } = state;
  return (
    <>
      <a class="skip" href="#main">To the content</a>
      <header>
        <h1>Backstage <span class="quiet">try to break the demo</span></h1>
        {now !== null && (
          <nav aria-label="The other pages of the demo">
            <ul>
              <li><a href={now.links.dashboard}>Dashboard</a></li>
              <li><a href={now.links.shop}>Demo shop</a></li>
            </ul>
          </nav>
        )}
      </header>
      <main id="main" tabIndex={-1}>
        {trouble.value !== null && <p class="failure" role="alert">{trouble.value}</p>}
        {now === null ? <p>Asks the demo how it is.</p> : (
          <>
            <p class="explain">{summary(now)}</p>
            <MaliciousShopPanel state={now} />
            <AttackersViewPanel state={now} />
          </>
        )}
      </main>
    </>
  );
}

function summary({ federation: { shops, rounds, epsilon, mode, robust }, releases, isOver }: NonNullable<typeof state.value>): string {
  const promise = epsilon === null ? 'without noise: nothing is promised to shoppers' : `epsilon ${epsilon} for all of it`;
  return `${shops} shops, ${rounds} rounds, mode ${mode}${robust === null ? '' : `, ${robust} of groups`}, ${promise}. ${isOver ? `The year is over, with ${releases.length} releases.` : `${releases.length} of ${rounds} releases are out.`}`;
}

const place = document.getElementById('app');
if (place !== null) {
  place.replaceChildren();
  render(<Page />, place);
}
startPolling();
