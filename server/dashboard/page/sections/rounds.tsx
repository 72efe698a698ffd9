/** The round that is open, and those before it. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Live, LiveRound } from '../../schemas.ts';
import { endedRounds, RoundsChart } from '../charts/rounds-chart.tsx';
import { isPaused } from '../feed.ts';
import { Facts, Section, Table, Time } from '../parts.tsx';
import type { Documents, Round } from '../store.ts';
import { bytesInWords, durationInWords, figure, participantsInWords, phaseInWords } from '../words.ts';

export function Rounds({ live, documents }: { readonly live: Live; readonly documents: Documents | null }): JSX.Element {
  const { round } = live;
  const rounds = documents?.rounds ?? [];
  const ended = endedRounds(rounds);
  return (
    <Section id="rounds" title="Rounds">
      {round === null ? <p class="quiet">No round was opened since the coordinator started: it waits until enough shops are ready.</p> : <OpenRound round={round} />}
      <Facts facts={[
        ['Shops ready', live.shopsReady], ['Connections', live.connections], ['Received', bytesInWords(live.bytesUp)], ['Sent', bytesInWords(live.bytesDown)], ['Refused messages', live.refused],
      ]} />
      {ended.length > 0 && <RoundsChart ended={ended} />}
      <Table
        caption="History of rounds, newest first"
        columns={['round', 'for', 'state', 'opened', 'took', 'participants', 'epsilon', 'outcome']}
        rows={rounds.toReversed().map(historyRow)}
        empty="No round was opened yet."
      />
    </Section>
  );
}

function OpenRound({ round }: { readonly round: LiveRound }): JSX.Element {
  return (
    <>
      <h3>Round {round.number} of {round.task} <span class={`state ${round.phase}`}>{phaseInWords(round.phase)}</span></h3>
      <Dots round={round} />
      <Facts facts={[
        ['Opened', <Time iso={round.openedAt} />],
        ['Duration', <Elapsed round={round} />],
        ['Deadline', round.deadlineAt === null ? 'none of its own' : <Time iso={round.deadlineAt} />],
        ['Received meanwhile', bytesInWords(round.bytesUp)], ['Sent meanwhile', bytesInWords(round.bytesDown)],
      ]} />
      {round.failure !== null && <p class="failure"><strong>{round.failure.code}</strong> {round.failure.message}</p>}
    </>
  );
}

const dotKinds = ['reported', 'working', 'joined', 'waiting', 'dropped', 'declined'] as const;
const dotNames: Readonly<Record<(typeof dotKinds)[number], string>> = { reported: 'reported', working: 'working', joined: 'joined', waiting: 'invited', dropped: 'dropped', declined: 'declined' };
/** Beyond that, a dot stands for several. */
const mostDots = 120;

/** Everybody once: who works has joined, too. */
function dotCounts({ waiting, joined, working, reported, dropped, declined }: LiveRound): Record<(typeof dotKinds)[number], number> {
  return { reported, working, joined: Math.max(0, joined - working - reported - dropped), waiting, dropped, declined };
}

function Dots({ round }: { readonly round: LiveRound }): JSX.Element {
  const counts = dotCounts(round);
  const each = Math.max(1, Math.ceil(round.invited / mostDots));
  const words = participantsInWords(round);
  return (
    <>
      <div class="dots" role="img" aria-label={words}>
        {dotKinds.flatMap((kind) => Array.from({ length: Math.ceil(counts[kind] / each) }, (_, index) => <span class={`participant ${kind}`} key={`${kind}${index}`} />))}
      </div>
      <ul class="legend">
        {dotKinds.filter((kind) => counts[kind] > 0).map((kind) => <li key={kind}><span class={`participant ${kind}`} aria-hidden="true" />{counts[kind]} {dotNames[kind]}</li>)}
        {each > 1 && <li>a dot is {each} participants</li>}
      </ul>
      <p>{words}</p>
    </>
  );
}

function Elapsed({ round: { openedAt, endedAt } }: { readonly round: LiveRound }): JSX.Element {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (endedAt !== null) return undefined;
    const timer = setInterval(() => void (isPaused.value || setNow(Date.now())), 1000);
    return () => clearInterval(timer);
  }, [endedAt]);
  return <>{durationInWords((endedAt === null ? now : Date.parse(endedAt)) - Date.parse(openedAt))}</>;
}

function historyRow(round: Round): readonly (JSX.Element | string | number)[] {
  const { number, purpose, state, openedAt, endedAt, participants, epsilon } = round;
  return [
    number, purpose, state, <Time iso={openedAt} />,
    endedAt === null ? 'open' : durationInWords(Date.parse(endedAt) - Date.parse(openedAt)),
    participants ?? '', epsilon === null ? 'nothing promised' : figure(epsilon), outcomeOf(round),
  ];
}

function outcomeOf({ failure, result, state }: Round): JSX.Element | string {
  if (failure !== null) return <span title={failure.message}><code>{failure.code}</code></span>;
  if (result !== null) return `gate: ${result.decision}`;
  return state === 'done' ? 'release' : '';
}
