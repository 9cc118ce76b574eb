// The thread that envoy/check/isolation.ts starts: a thread inherits no loader for TypeScript.
import { register } from 'tsx/esm/api';

register();
await import('./thread.ts');
