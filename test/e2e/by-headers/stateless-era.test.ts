import { proveStatelessEra } from '../stateless-era.ts';

proveStatelessEra();
