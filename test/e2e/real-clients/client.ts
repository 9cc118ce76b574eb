// What the tests of real clients ask of each of them.

/** Methods that both versions of the SDK have under these names. */
interface SdkMethods {
  listTools(): Promise<{ tools: Named[] }>;
  listPrompts(): Promise<{ prompts: Named[] }>;
  listResources(): Promise<{ resources: { uri: string }[] }>;
  listResourceTemplates(): Promise<{ resourceTemplates: { uriTemplate: string }[] }>;
  getPrompt(params: { name: string; arguments?: Record<string, string> }): Promise<{ messages: unknown[] }>;
  readResource(params: { uri: string }): Promise<{ contents: unknown[] }>;
  subscribeResource(params: { uri: string }): Promise<unknown>;
  unsubscribeResource(params: { uri: string }): Promise<unknown>;
  complete(params: Completion): Promise<{ completion: { values: string[] } }>;
  setLoggingLevel(level: 'warning' | 'debug'): Promise<unknown>;
  sendRootsListChanged(): Promise<void>;
}

interface Named {
  name: string;
}

interface Completion {
  ref: { type: 'ref/prompt'; name: string } | { type: 'ref/resource'; uri: string };
  argument: { name: string; value: string };
}

interface CallOptions {
  readonly signal?: AbortSignal;
  /** ms */
  readonly timeout?: number;
  readonly onprogress?: (progress: { progress: number }) => void;
}

export interface Called {
  readonly content: readonly Record<string, unknown>[];
  readonly isError: boolean;
}

/** The text that a call came to; all of its content where it failed. */
export const textOf = ({ content, isError }: Called): unknown => (isError ? content : content[0]?.['text']);

export interface RealClient {
  readonly client: SdkMethods;
  call(name: string, args?: Record<string, unknown>, options?: CallOptions): Promise<Called>;
  /** Notifications as they came, but for those of progress. */
  readonly heard: readonly { method: string; params?: Record<string, unknown> | undefined }[];
  /** Ends the session where the client can say so, then the connection. */
  close(): Promise<void>;
}

/** What a client says of itself, and how it answers what servers ask. */
export const persona = {
  info: { name: 'real-client', version: '1.0.0' },
  capabilities: {
    sampling: {},
    elicitation: { form: { applyDefaults: true }, url: {} },
    roots: { listChanged: true },
  },
  roots: { roots: [{ uri: 'file:///home/ada', name: 'home' }] },
  /** @param prompt text of the first message */
  completion: (prompt: string) => ({
    model: 'parrot',
    role: 'assistant' as const,
    content: { type: 'text' as const, text: `${prompt}, ${prompt}` },
  }),
  elicited: (message: string) => ({
    action: 'accept' as const,
    content: { username: message, email: 'ada@example.com' },
  }),
} as const;

/** The text of the first message of a sampling request. */
export function promptOf({ messages }: { messages: readonly { content: unknown }[] }): string {
  const [first] = messages;
  return String((first?.content as { text?: string } | undefined)?.text);
}
