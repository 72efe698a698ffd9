/**
 * A job of the backstage: membership inference on sums of real shoppers, by an attacker who knows everybody else in them, with
 * and without noise. Two settings of the audit of attacks.
 */
import { z } from 'zod';
import { attackSetting, openStage, type AttackRow } from '../../audit/attacks/attacks.ts';
import { settingsOf, type SettingKind } from '../../audit/attacks/settings.ts';
import { reportFailure } from '../../cli/output.ts';
import type { JobLine } from './jobs.ts';
import type { AttackersView } from './state.ts';

const optionsSchema = z.strictObject({ victims: z.number().int().min(2), participants: z.number().int().min(2), epsilon: z.number().positive(), delta: z.number().positive() });
const say = (line: JobLine): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

try {
  const { victims, participants, epsilon, delta } = optionsSchema.parse(JSON.parse(process.argv[2] ?? 'null'));
  const options = { data: 'online-retail', model: 'neighbours', shoppers: victims, participants: [participants], epsilons: [epsilon], delta, seed: 1 };
  const stage = await openStage(options);
  const attack = (kind: SettingKind, progress: string): AttackRow => {
    say({ progress });
    return attackSetting(stage, settingsOf(options.participants, options.epsilons).filter((setting) => setting.kind === kind)[0]);
  };
  const rows = { without: attack('sum', 'attacking sums without noise'), with: attack('protected', 'attacking sums with noise') };
  const result: AttackersView = { without: rows.without.subtractionArea, with: rows.with.subtractionArea, victims, participants, epsilon, delta };
  say({ result });
} catch (thrown) {
  reportFailure(thrown, true);
}
