import { proveConformance } from './stateless-era.ts';

proveConformance();
