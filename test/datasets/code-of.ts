import { CestaError } from '../../shared/protocol/errors.ts';

/** The code of the coded error that `act` throws; anything else it throws passes through; 'none' when it returns. */
export function codeOf(act: () => unknown): string {
  try {
    act();
    return 'none';
  } catch (thrown) {
    if (thrown instanceof CestaError) return thrown.code;
    throw thrown;
  }
}
