import { type Symptom, areas, symptoms } from '../../cli/doctor/symptoms.ts';
import { type Example, examples } from './examples.ts';

const introduction = `# Troubleshooting

What is seen when something is wrong, why, and what to do. \`sluice doctor\` looks for each of these at a running gateway
and tells what it found, how it knows, and the next step:

\`\`\`console
$ npx sluice doctor http://127.0.0.1:10000/mcp
…
$ npx sluice doctor http://127.0.0.1:10000/mcp --admin http://127.0.0.1:9901 --bundle support.tar
…
\`\`\`

The ids in the tables are those of its findings (\`--json\`: \`symptom\`), and are stable. A finding is \`ok\`, a \`warning\` that may
be as it should be, a \`problem\`, or \`unjudged\`: what it needs is missing, and \`found\` says what. The exit code is 1 where
there is a problem. Nothing is changed by it: it opens sessions and ends them, lists tools, and calls none but one that
cannot exist.

- \`SLUICE_TOKEN\` in the environment, or \`--token-file\`, is the token of a client; \`SLUICE_STATUS_TOKEN\`, or
  \`--status-token-file\`, the one of [the status](metrics.md#health-and-status), without which servers and limits cannot be judged.
- \`--admin\` is Envoy's admin address, which mostly answers on its own machine alone. With it the rules of
  [\`sluice check\`](check.md) are held to what Envoy really runs, what came by live delivery included.
- \`--bundle FILE\` writes an archive for who helps you: findings, versions, status, Envoy's configuration, clusters and counters.
  Values of variables, credentials, tokens, keys and passwords are taken out; look through it all the same.

[errors.md](errors.md) has the reasons of the gateway's own answers, [host-modes.md](host-modes.md) each case of \`host_mode\`.
`;

/** docs/troubleshooting.md, before it is formatted. */
export function troubleshootingPage(): string {
  const sections = Object.entries(areas).map(([area, heading]) => {
    const rows = Object.entries<Symptom>(symptoms).filter(([, symptom]) => symptom.area === area);
    const shown = examples.filter(({ symptom }) => rows.some(([id]) => id === symptom));
    return [`## ${heading}`, table(rows), ...shown.map(exampleText)].join('\n\n');
  });
  return `${[introduction, ...sections].join('\n')}\n`.replaceAll(/\n(## )/g, '\n\n$1');
}

function table(rows: readonly (readonly [string, Symptom])[]): string {
  const lines = rows.map(([id, { title, probe, cause, nextStep }]) =>
    [`\`${id}\``, title, cause, nextStep, probe].join(' | '),
  );
  const head = ['id', 'symptom', 'cause', 'next step', 'what `sluice doctor` does'];
  return [head.join(' | '), head.map(() => '---').join(' | '), ...lines].map((line) => `| ${line} |`).join('\n');
}

function exampleText({ title, curl, answer }: Example): string {
  return `### ${title}\n\n\`\`\`sh\n${curl}\n\`\`\`\n\n\`\`\`http\nHTTP/1.1 ${answer}\n\`\`\``;
}
