/** Which backend computes with tensors: an option of the verbs that train, else the environment, else the fastest that works. */
import { Option, type Command } from 'commander';
import { CestaError } from '../../shared/protocol/errors.ts';
import { backendKinds, type BackendKind } from '../../shared/tensors/backend-kinds.ts';

export interface BackendOptions {
  backend?: BackendKind;
}

export function addBackendOption(command: Command): Command {
  return command.addOption(new Option('--backend <kind>', 'what trains models of TensorFlow.js: this one or none (default: CESTA_BACKEND, else the fastest that works)').choices(backendKinds));
}

/** @throws CestaError `config.invalid` for an environment that names no backend */
export function backendOf({ backend }: BackendOptions, environment: NodeJS.ProcessEnv = process.env): { readonly backend?: BackendKind } {
  if (backend !== undefined) return { backend };
  const text = environment['CESTA_BACKEND'];
  if (text === undefined || text === '') return {};
  const known = backendKinds.find((kind) => kind === text);
  if (known === undefined) throw new CestaError('config.invalid', `CESTA_BACKEND: expected one of ${backendKinds.join(', ')}, got ${text}`);
  return { backend: known };
}
