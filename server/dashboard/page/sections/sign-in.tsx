/** The operator's way in: a token and a one-time code; the session stays in the memory of this page. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { toCestaError, type CestaError } from '../../../../shared/protocol/errors.ts';
import { Failure, fieldOf, Section, Time } from '../parts.tsx';
import { parting, session, signIn, signOut } from '../session.ts';

export function SignIn(): JSX.Element {
  const { value } = session;
  return (
    <Section id="sign-in" title="Sign in">
      <p role="status">{value === null ? parting.value : `Signed in as ${value.operator}.`}</p>
      {value === null ? <Form /> : (
        <p>This page is signed in as <strong>{value.operator}</strong> until <Time iso={value.expiresAt} />, or until it is closed. <button type="button" onClick={() => void signOut()}>Sign out</button></p>
      )}
    </Section>
  );
}

function Form(): JSX.Element {
  const [error, setError] = useState<CestaError | null>(null);
  const [isBusy, setBusy] = useState(false);
  const submit = async (form: HTMLFormElement): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await signIn(fieldOf(form, 'token'), fieldOf(form, 'code'));
    } catch (thrown) {
      setError(toCestaError(thrown));
    }
    setBusy(false);
  };
  return (
    <form onSubmit={(event) => {
      event.preventDefault();
      void submit(event.currentTarget);
    }}>
      <p class="quiet">The token was shown when the coordinator first started, or by <code>cesta operator add</code>; the code comes from your authenticator.</p>
      <p><label for="token">Operator token</label><input id="token" name="token" type="password" autocomplete="off" required /></p>
      <p><label for="code">One-time code</label><input id="code" name="code" inputMode="numeric" autocomplete="one-time-code" pattern="[0-9]{6}" title="six digits" required /></p>
      <Failure error={error} />
      <p><button type="submit" class="primary" disabled={isBusy}>Sign in</button></p>
    </form>
  );
}
