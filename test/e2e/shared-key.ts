/** The key that several gateways of a test seal sessions with: each opens what another has sealed. */
export const sharedKey = {
  plugin: { sessions: { keys: [{ id: 1, env: 'SLUICE_KEY_1' }] } },
  env: { SLUICE_KEY_1: Buffer.alloc(32, 7).toString('base64url') },
} as const;
