import { inject } from 'vitest';
import { embeddedEngine } from './embedded.ts';
import { type ProbeEngine, envoyEngine } from './engine.ts';

const envoy = inject('envoy');

/** Those that are there; test/setup.ts says aloud where no Envoy is. */
export const engines: readonly ProbeEngine[] = [...(envoy === null ? [] : [envoyEngine(envoy.path)]), embeddedEngine];
