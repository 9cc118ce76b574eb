import type { RawAnswer } from './raw.ts';

interface Message {
  readonly jsonrpc: string;
  readonly id: string | number | null;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data?: Readonly<Record<string, unknown>>;
  };
}

export function message(answer: RawAnswer): Message {
  return JSON.parse(answer.text) as Message;
}

/** What a refusal says, for comparison with a row of the error table. */
export function refusal(answer: RawAnswer): Record<string, unknown> {
  const { id, error } = message(answer);
  const { reason, server } = error?.data ?? {};
  const row = { status: answer.status, id, code: error?.code, reason };
  return server === undefined ? row : { ...row, server };
}

export function toolNames(answer: RawAnswer): string[] {
  const { result } = message(answer);
  return (result?.['tools'] as { name: string }[]).map(({ name }) => name);
}
