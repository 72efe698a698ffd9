/**
 * A job of the backstage: membership inference on sums of real shoppers, by an attacker who knows everybody else in them, with
 * and without noise. The audit of attacks with fewer settings.
 */
import { z } from 'zod';
import { auditAttacks, type AttackRow } from '../../audit/attacks/attacks.ts';
import type { SettingKind } from '../../audit/attacks/settings.ts';
import { reportFailure } from '../../cli/output.ts';
import type { JobLine } from './jobs.ts';
import type { AttackersView } from './state.ts';

const optionsSchema = z.strictObject({ victims: z.number().int().min(2), participants: z.number().int().min(2), epsilon: z.number().positive(), delta: z.number().positive() });
const say = (line: JobLine): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

try {
  const { victims, participants, epsilon, delta } = optionsSchema.parse(JSON.parse(process.argv[2] ?? 'null'));
  const { rows } = await auditAttacks({
    data: 'online-retail', model: 'neighbours', shoppers: victims, participants: [participants], epsilons: [epsilon], delta, seed: 1,
    onProgress: (what) => say({ progress: `attacking ${what}` }),
  });
  const row = (kind: SettingKind): AttackRow => rows.filter((candidate) => candidate.kind === kind)[0];
  const result: AttackersView = { without: row('sum').subtractionArea, with: row('protected').subtractionArea, victims, participants, epsilon, delta };
  say({ result });
} catch (thrown) {
  reportFailure(thrown, true);
}
