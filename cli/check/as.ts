import { type Asker, explain } from '../../envoy/check/explain.ts';
import { examine, type SourceFile } from '../../envoy/check/files.ts';
import { endpointOf } from '../../envoy/check/gateway.ts';
import { ModuleThread } from '../../envoy/check/isolation.ts';
import type { Question } from '../../envoy/check/istio.ts';
import { codeOf, type ModuleFile } from '../../envoy/check/module.ts';
import { CommandError, exitCode } from '../io.ts';
import type { CheckEvent } from './events.ts';

export interface AskedFor {
  /** Undefined: the endpoint itself, and every virtual server. */
  readonly virtualServer: string | undefined;
  readonly claims: Asker['claims'];
  readonly authorized: Asker['authorized'];
  readonly names: Asker['names'];
}

/**
 * Tells what a caller may see and use under each plugin configuration in files without errors.
 * @throws CommandError where there is none, or a module does not answer
 */
export async function tellDecisions(
  files: readonly SourceFile[],
  module: ModuleFile,
  asked: AskedFor,
  emit: (event: CheckEvent) => void,
): Promise<void> {
  const questions = examine(files, module).questions.filter(({ rootId }) => !rootId.endsWith('-holder'));
  if (questions.length === 0) throw new CommandError('--as: no file has a plugin configuration', exitCode.usage);
  const thread = new ModuleThread();
  try {
    for (const question of questions) await tell(thread, question, module, asked, emit);
  } catch (error) {
    throw error instanceof CommandError ? error : new CommandError(`--as: ${(error as Error).message}`);
  } finally {
    await thread.close();
  }
}

async function tell(
  thread: ModuleThread,
  question: Question,
  module: ModuleFile,
  { virtualServer, ...who }: AskedFor,
  emit: (event: CheckEvent) => void,
): Promise<void> {
  const { plugin, filter } = question;
  const code = filter === undefined ? module.bytes : codeOf(filter, module);
  const { file } = plugin.root.document;
  const own = plugin.root.get('virtualServers').items.map((item) => item.get('name').text ?? '');
  for (const named of virtualServer === undefined ? ['', ...own] : [virtualServer]) {
    const endpoint = named === '' ? endpointOf(plugin) : `${endpointOf(plugin)}/${named}`;
    const found = await explain(thread, code, plugin.text, { ...who, virtualServer: named });
    if (!('refused' in found)) {
      const { decisions, credentials } = found;
      emit({ event: 'caller', file, endpoint, names: decisions.length });
      for (const decision of decisions) emit({ event: 'decision', file, endpoint, ...decision });
      for (const chosen of credentials) emit({ event: 'credential', file, endpoint, ...chosen });
    } else emit({ event: 'caller', file, endpoint, names: 0, refused: found.refused });
  }
}
