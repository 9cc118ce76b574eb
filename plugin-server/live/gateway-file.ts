import { join } from 'node:path';
import { type Configuration, readConfiguration } from '../../envoy/check/configuration.ts';
import type { Finding, Report } from '../../envoy/check/finding.ts';
import { readRegularFile } from '../store/files.ts';

/** The file in a gateway's directory that says everything about it. */
export const gatewayFileName = 'sluice.yaml';

/** Bytes. A configuration of a thousand servers has a tenth of it. */
const gatewayFileLimit = 1024 * 1024;

/** @throws Error with a sentence where there is none, or none that is read */
export async function readGatewayFile(directory: string): Promise<string> {
  const bytes = await readRegularFile(join(directory, gatewayFileName), gatewayFileLimit);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new Error('is not text in UTF-8', { cause: error });
  }
}

/** Reads a gateway's file: the plugin configuration that `sluice start --config` takes, and `module`. */
export function parseGatewayFile(text: string): {
  findings: Finding[];
  report: Report;
  configuration: Configuration | undefined;
} {
  return readConfiguration(gatewayFileName, Buffer.from(text), 'live');
}
