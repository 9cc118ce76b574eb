import * as z from 'zod';
import type { ModuleRequest } from '../../envoy/check/module-request.ts';
import type { ServedModule } from '../../envoy/render/targets/target.ts';
import { isVersion } from '../../common/version.ts';
import { failureText } from '../../plugin-server/http/client.ts';
import { modulePath } from '../../plugin-server/index.ts';
import { CommandError, exitCode } from '../io.ts';
import { refusal } from '../remote.ts';

/** Milliseconds. */
const timeout = 30_000;

/** What of `metadata.json` is needed. */
const factsShape = z.object({ version: z.string().refine(isVersion), sha256: z.string().regex(/^[0-9a-f]{64}$/) });

/**
 * The module as a plugin server serves it.
 * @param sha256 where it is known: then the server is not asked, and the version has to be an exact one
 * @throws CommandError where the server does not have it, or cannot be asked
 */
export async function servedModule(
  server: string,
  { name, version }: ModuleRequest,
  sha256: string | undefined,
): Promise<ServedModule> {
  const known = sha256 === undefined ? await asked(server, name, version) : { version, sha256 };
  return { name, ...known, server, path: modulePath({ name, version: known.version }) };
}

const advice = 'start it (sluice serve); if it is not to be reached from here, --version and --sha256 say what it has';

async function asked(server: string, name: string, version: string): Promise<z.infer<typeof factsShape>> {
  const url = `${server}/plugins/${encodeURIComponent(name)}/${encodeURIComponent(version)}/metadata.json`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(timeout) }).catch((error: unknown) => {
    throw new CommandError(`${url}: ${failureText(error)}; ${advice}`);
  });
  const said: unknown = await answer.json().catch(() => undefined);
  if (!answer.ok) throw new CommandError(refusal(answer, said), answer.status === 404 ? exitCode.found : undefined);
  const { data } = factsShape.safeParse(said);
  if (data === undefined) throw new CommandError(`${url} answered, and not as a plugin server does; ${advice}`);
  return data;
}
