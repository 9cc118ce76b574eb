import type { Command } from '../command.ts';
import { fromOthers } from './from-others.ts';
import { toTarget } from './to-target.ts';

/** `sluice render`: a gateway's configuration in the words of others, and with `--from` the other way round. */
export const render: Pick<Command<unknown>, 'run'> = {
  run: (args, io) => (args.some((each) => /^--from(?:=|$)/.test(each)) ? fromOthers : toTarget).run(args, io),
};
