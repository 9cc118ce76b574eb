import { describe, expect, test } from 'vitest';
import { chooseEngine } from '../../envoy/engines.ts';
import { describeWithEnvoy, envoyBinary, temporaryFolder } from './support.ts';

/** A machine on which no Envoy is to be found. */
function bareMachine(): { env: NodeJS.ProcessEnv; home: string; folder: string; mode: 'hold'; progress: () => void } {
  return {
    env: { PATH: '' },
    home: temporaryFolder(),
    folder: temporaryFolder(),
    mode: 'hold',
    progress: () => undefined,
  };
}

describe('--engine auto', () => {
  test('is the embedded engine where no Envoy is found, and says how to get one', async () => {
    const engine = await chooseEngine('auto', bareMachine());
    expect(engine.title).toMatch(/^embedded \(as envoy 1\.\d+\.\d+\)$/);
    expect(engine.reason).toBe('no Envoy was found; --engine envoy installs one');
  });

  test('does not silently replace the Envoy that ENVOY_PATH names', async () => {
    const machine = bareMachine();
    machine.env['ENVOY_PATH'] = '/nowhere/envoy';
    await expect(chooseEngine('auto', machine)).rejects.toThrow('ENVOY_PATH=/nowhere/envoy');
  });

  test('can be the embedded engine by choice, whatever is there', async () => {
    const engine = await chooseEngine('embedded', bareMachine());
    expect(engine.reason).toContain('--engine auto');
  });

  describeWithEnvoy('with an Envoy at hand', () => {
    test('is that one, and says how to do without', async () => {
      const engine = await chooseEngine('auto', { ...bareMachine(), env: { PATH: '', ENVOY_PATH: envoyBinary() } });
      expect(engine.title).toMatch(/^envoy 1\.\d+\.\d+$/);
      expect(engine.reason).toContain('--engine embedded');
    });
  });
});
