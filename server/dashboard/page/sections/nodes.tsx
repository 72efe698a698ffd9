/** Who takes part: figures for everybody, names for operators alone. */
import type { JSX } from 'preact';
import type { Live } from '../../schemas.ts';
import { Facts, Section, Table, Time } from '../parts.tsx';
import { nodes, session } from '../session.ts';

export function Nodes({ live }: { readonly live: Live }): JSX.Element {
  const { round } = live;
  const members = round === null || round.endedAt !== null ? 0 : round.joined;
  return (
    <Section id="nodes" title="Nodes">
      <Facts facts={[['Connected', live.connections], ['Ready for a round', live.shopsReady], ['In the open round', members]]} />
      {session.value === null ? <p class="quiet">Who they are is shown to operators: <a href="#sign-in">sign in</a>.</p> : (
        <Table
          caption="Nodes by name"
          columns={['name', 'organisation', 'enrolment', 'connected', 'in the open round', 'last seen', 'key']}
          rows={(nodes.value ?? []).map(({ name, organisation, enrolment, connected, inRound, lastSeen, publicKey }) => [name, organisation ?? 'none named', enrolment, connected, inRound ? 'yes' : 'no', <Time iso={lastSeen} />, <code>{publicKey.slice(0, 16)}</code>])}
          empty="No node is known yet."
        />
      )}
    </Section>
  );
}
