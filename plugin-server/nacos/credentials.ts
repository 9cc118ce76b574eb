import { PluginServerError } from '../errors.ts';

/** A user of Nacos. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/**
 * Reads a file with one line, `<user name> <password>`; blank lines and `#` comments are left out.
 * @param source for messages, which never show what is in it
 * @throws PluginServerError `secret_unusable`
 */
export function parseCredentials(text: string, source: string): Credentials {
  const lines = text.split('\n').map((line) => line.trim());
  const [line = '', ...others] = lines.filter((each) => each !== '' && !each.startsWith('#'));
  const [, username, password] = /^(\S+)\s+(.+)$/.exec(line) ?? [];
  if (username === undefined || password === undefined || others.length > 0) {
    throw new PluginServerError('secret_unusable', source, 'it has to be one line, "<user name> <password>"');
  }
  return { username, password };
}
