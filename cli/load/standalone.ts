// `sluice load` as the one file sluice-load.mjs, which a bundle has in it: Node alone runs it.
import { requireNode } from '../../common/node-version.mjs';
import { processIo } from '../io.ts';
import { load } from './command.ts';

requireNode();
process.exitCode = await load.run(process.argv.slice(2), processIo);
