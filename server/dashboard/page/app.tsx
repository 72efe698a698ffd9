/** The page: what is shown where, and what is said aloud. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Live } from '../schemas.ts';
import { isPaused, link, live, setPaused, type Link } from './feed.ts';
import { Failure } from './parts.tsx';
import { BudgetSection } from './sections/budget.tsx';
import { Log } from './sections/log.tsx';
import { Nodes } from './sections/nodes.tsx';
import { QualitySection } from './sections/quality.tsx';
import { Releases } from './sections/releases.tsx';
import { Rounds } from './sections/rounds.tsx';
import { SignIn } from './sections/sign-in.tsx';
import { chosen, documents, documentsFailure, measured, task } from './store.ts';
import { endOfRound, phaseInWords } from './words.ts';

const sections = [['rounds', 'Rounds'], ['quality', 'Quality'], ['budget', 'Privacy budget'], ['releases', 'Releases'], ['nodes', 'Nodes'], ['log', 'Public record'], ['sign-in', 'Sign in']] as const;

export function App(): JSX.Element {
  const now = live.value;
  const own = documents.value?.task === task.value?.task ? documents.value : null;
  return (
    <>
      <a class="skip" href="#main">Skip to the figures</a>
      <header>
        <h1>Cesta <span class="quiet">the federation</span></h1>
        <nav aria-label="Sections"><ul>{sections.map(([id, title]) => <li key={id}><a href={`#${id}`}>{title}</a></li>)}</ul></nav>
      </header>
      <main id="main" tabIndex={-1}>
        <Bar live={now} />
        <Failure error={documentsFailure.value} />
        {now !== null && (
          <>
            <Rounds live={now} documents={own} />
            <QualitySection measured={measured.value} documents={own} />
            <BudgetSection documents={own} />
            <Releases documents={own} />
            <Nodes live={now} />
            <Log size={now.logSize} />
          </>
        )}
        <SignIn />
      </main>
      <footer><p class="quiet">Nothing on this page comes from anywhere but this coordinator. Its API: <a href="../v1/openapi.json">OpenAPI</a>, <a href="../metrics">metrics</a>.</p></footer>
      <Announcer live={now} />
    </>
  );
}

function linkInWords(now: Link): string {
  switch (now.kind) {
    case 'connecting':
      return 'Connecting.';
    case 'streaming':
      return 'Live.';
    case 'polling':
      return now.answers ? 'The live stream broke: the coordinator is asked every few seconds instead.' : 'The coordinator does not answer: it is asked again every few seconds. The figures are old.';
    default:
      return now satisfies never;
  }
}

function Bar({ live: now }: { readonly live: Live | null }): JSX.Element {
  const current = task.value;
  return (
    <div class="bar">
      <p class={`link ${link.value.kind}`}>{isPaused.value ? 'Paused: the figures hold still.' : linkInWords(link.value)}</p>
      <p><button type="button" aria-pressed={isPaused.value} onClick={() => setPaused(!isPaused.value)}>Pause live updates</button></p>
      {now !== null && now.tasks.length > 1 && (
        <p><label for="task">Task</label><select id="task" value={current?.task ?? ''} onChange={({ currentTarget }) => void (chosen.value = currentTarget.value)}>{now.tasks.map(({ task: name }) => <option key={name} value={name}>{name}</option>)}</select></p>
      )}
      {current !== null && <p>Task <strong>{current.task}</strong> ({current.model}, mode {current.mode}): {phaseInWords(current.phase)}{current.release === null ? ', no release yet' : `, release ${current.release.version} is served`}{current.over === null ? '' : `. ${current.over.message}`}</p>}
    </div>
  );
}

/** At most one sentence a round, when it is over, and none for what was over when the page was opened. */
function Announcer({ live: now }: { readonly live: Live | null }): JSX.Element {
  const [said, setSaid] = useState('');
  const known = useRef<string | null>(null);
  useEffect(() => {
    if (now === null) return;
    const { round } = now;
    const isOver = round !== null && round.endedAt !== null;
    if (known.current !== null && isOver && known.current !== round.round) setSaid(endOfRound(round));
    if (known.current === null || isOver) known.current = isOver ? round.round : (known.current ?? '');
  }, [now]);
  return <p class="hidden" role="status">{said}</p>;
}
