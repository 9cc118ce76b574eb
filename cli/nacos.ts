// What options of several commands say of Nacos.
import { type Credentials, PluginServerError, aNamespace, isNamespace } from '../plugin-server/index.ts';

/** A namespace of Nacos: what it is called here, and its id there. */
export interface NacosNamespaceName {
  readonly name: string;
  readonly id: string;
}

/** Reads `NAME[=ID]`. @throws Error that names the option */
export function parseNacosNamespace(text: string): NacosNamespaceName {
  const [name = '', id = name] = text.split(/=(.*)/s, 2);
  if (isNamespace(name) && /^[\w-]{1,128}$/.test(id)) return { name, id };
  const form = `NAME[=ID], the name made of ${aNamespace}`;
  throw new Error(`--nacos-namespace takes ${form}, like team-a=${id || 'ID'}; not ${JSON.stringify(text)}`);
}

/** @throws Error that says what an address of Nacos is */
export function parseNacosUrl(text: string, option = '--nacos'): string {
  if (URL.canParse(text)) {
    const { protocol, username, password, search, hash, href } = new URL(text);
    const isPlain = [username, password, search, hash].every((part) => part === '');
    if (isPlain && (protocol === 'http:' || protocol === 'https:')) return href;
  }
  // Whoever put a password into it is not to find it in a log.
  const found = text.includes('@') ? 'one with something else in it' : JSON.stringify(text);
  throw new Error(`${option} takes a URL like http://nacos-0:8848, and no user name or password in it; not ${found}`);
}

const variables = { username: 'SLUICE_NACOS_USERNAME', password: 'SLUICE_NACOS_PASSWORD' };

/**
 * The user that the environment names; undefined for none.
 * @throws PluginServerError `secret_unusable` where half of it is there
 */
export function credentialsIn(env: NodeJS.ProcessEnv): Credentials | undefined {
  const [username = '', password = ''] = [env[variables.username], env[variables.password]];
  if (username === '' && password === '') return undefined;
  if (username !== '' && password !== '') return { username, password };
  const missing = username === '' ? variables.username : variables.password;
  throw new PluginServerError('secret_unusable', missing, 'it is not set, and the other one is');
}
