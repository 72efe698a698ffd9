import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addBackendOption, backendOf } from '../../scripts/cli/backend-options.ts';

describe('the backend that trains', () => {
  it('is what the option says, else the environment, else left open', () => {
    expect(backendOf({ backend: 'plain' }, { CESTA_BACKEND: 'wasm' })).toEqual({ backend: 'plain' });
    expect(backendOf({}, { CESTA_BACKEND: 'wasm' })).toEqual({ backend: 'wasm' });
    expect(backendOf({}, { CESTA_BACKEND: '' })).toEqual({});
    expect(backendOf({}, {})).toEqual({});
  });

  it('is never one that there is not', () => {
    expect(() => backendOf({}, { CESTA_BACKEND: 'quick' })).toThrow('CESTA_BACKEND: expected one of native, wasm, plain, got quick');
    const command = addBackendOption(new Command('trial').exitOverride().configureOutput({ writeErr: () => undefined }));
    expect(() => command.parse(['--backend', 'quick'], { from: 'user' })).toThrow('native, wasm, plain');
  });
});
