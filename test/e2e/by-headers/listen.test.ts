import { proveListening } from '../listen.ts';

proveListening();
