// `npm run bench:scaling [-- --nodes 1000 --gateways 10 --seconds 60]`: a fleet of stand-ins that poll a real plugin server,
// beside what the model of docs/scaling.md says of it.
import { parseArgs } from 'node:util';
import { moduleBytes } from './fleet.ts';
import { answersOfEdit, filterBytes, idlePolls, measured } from './model.ts';
import { simulate } from './simulation.ts';

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '1000' },
    gateways: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '60' },
  },
});
const nodes = Number(values.nodes);
const found = await simulate(nodes, Number(values.gateways), Number(values.seconds));

row('', 'model', 'measured');
row('polls a second, nothing new', idlePolls({ gateways: nodes }), found.idlePolls);
row('CPU of such a poll, µs', measured.pollCpu * 1e6, found.pollCpu);
row('bytes of a poll', measured.pollBytes, found.pollBytes);
row('bytes of a filter', filterBytes(moduleBytes(), 0), found.filterBytes);
row('answers of an edit', answersOfEdit(found.editedNodes), found.edited.clusters + found.edited.filters);
row('polls that failed', 0, found.failed);
process.stdout.write(
  `\nan edit was on its ${found.editedNodes} nodes after ${found.editSeconds.toFixed(1)} s; ` +
    `memory of the plugin server: ${found.memory.toFixed(0)} MiB\n`,
);
process.exit();

function row(what: string, model: number | string, measuredOne: number | string): void {
  const cells = [model, measuredOne].map((cell) => (typeof cell === 'string' ? cell : cell.toFixed(1)).padStart(14));
  process.stdout.write(`${what.padEnd(36)}${cells.join('')}\n`);
}
