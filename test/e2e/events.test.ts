import { proveEvents } from './events.ts';

proveEvents();
