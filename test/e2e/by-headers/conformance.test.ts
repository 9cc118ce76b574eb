import { proveConformance } from '../conformance/stateless-era.ts';

proveConformance();
