import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PluginServerError } from '../errors.ts';
import { codeOf } from '../store/files.ts';

export interface UploadLimits {
  /** The most uploads of one publisher at a time. */
  readonly perPublisher: number;
  /** That are unpacked and verified at a time; each may take twice its limit in memory. Others wait. */
  readonly worked: number;
  /** Bytes of all bodies that have come and are not done with. */
  readonly heldBytes: number;
  /** Milliseconds without a byte, after which an upload is given up. */
  readonly silence: number;
}

/** Milliseconds without a byte, after which an upload makes room for another one that needs it. */
const longestPause = 1_000;

/** An upload whose body is on its way, or is worked on. */
interface Upload {
  bytes: number;
  lastByte: number;
  /** Ends it; without effect when its body has come. */
  giveUp: (error: PluginServerError) => void;
}

/**
 * The uploads under way. One that stalls holds up nobody: places are counted for each publisher, the memory of all is
 * bounded by what has really come, and where that is used up the one that has been silent for the longest gives way.
 */
export class Uploads {
  readonly #limits: UploadLimits;
  readonly #byPublisher = new Map<string, number>();
  readonly #uploads = new Set<Upload>();
  readonly #waiting: (() => void)[] = [];
  #held = 0;
  #worked = 0;

  constructor(limits: UploadLimits) {
    this.#limits = limits;
  }

  /**
   * Reads a body of at most `limit` bytes, and gives it to `take`.
   * @throws PluginServerError `busy` where the publisher has too many under way, or there is no memory; `too_large`;
   * `request_timeout` for one that stalls; `bad_request` where the client went away before the end
   */
  async run<T>(
    publisher: string,
    { request, reply, limit }: { request: FastifyRequest; reply: FastifyReply; limit: number },
    take: (content: Buffer) => Promise<T>,
  ): Promise<T> {
    const own = this.#byPublisher.get(publisher) ?? 0;
    if (own >= this.#limits.perPublisher) throw new PluginServerError('busy');
    this.#byPublisher.set(publisher, own + 1);
    const upload: Upload = { bytes: 0, lastByte: Date.now(), giveUp: () => undefined };
    this.#uploads.add(upload);
    try {
      const content = await this.#read(request, reply, limit, upload);
      return await this.#inTurn(() => take(content));
    } finally {
      this.#uploads.delete(upload);
      this.#held -= upload.bytes;
      const left = (this.#byPublisher.get(publisher) ?? 1) - 1;
      if (left === 0) this.#byPublisher.delete(publisher);
      else this.#byPublisher.set(publisher, left);
    }
  }

  /** A client that waits for `100 Continue` is told to send its body only now. */
  async #read({ raw, headers }: FastifyRequest, reply: FastifyReply, limit: number, upload: Upload): Promise<Buffer> {
    const tooLarge = new PluginServerError('too_large', 'the upload', limit);
    if (Number(headers['content-length'] ?? 0) > limit) throw tooLarge;
    if (/^100-continue$/i.test(headers.expect ?? '')) reply.raw.writeContinue();
    const timer = setInterval(
      () => {
        if (Date.now() - upload.lastByte >= this.#limits.silence)
          upload.giveUp(new PluginServerError('request_timeout'));
      },
      Math.min(this.#limits.silence, 1_000),
    ).unref();
    try {
      return await bodyOf(raw, upload, (size) => {
        if (upload.bytes + size > limit) throw tooLarge;
        this.#hold(upload, size);
      });
    } catch (error) {
      raw.resume(); // what still comes is not kept
      // The client is in the middle of its body, and nobody reads it: the connection is of no more use.
      if (error instanceof PluginServerError && error.code !== 'too_large') reply.header('connection', 'close');
      throw error;
    } finally {
      clearInterval(timer);
    }
  }

  #hold(upload: Upload, size: number): void {
    while (this.#held + size > this.#limits.heldBytes) {
      const silent = this.#longestSilent(upload);
      if (silent === undefined) throw new PluginServerError('busy');
      silent.giveUp(new PluginServerError('busy'));
      this.#held -= silent.bytes;
      silent.bytes = 0;
    }
    this.#held += size;
    upload.bytes += size;
    upload.lastByte = Date.now();
  }

  #longestSilent(but: Upload): Upload | undefined {
    const latest = Date.now() - longestPause;
    const silent = [...this.#uploads].filter(
      (each) => each !== but && each.bytes > 0 && each.lastByte <= latest && each.giveUp !== ended,
    );
    return silent.sort((a, b) => a.lastByte - b.lastByte)[0];
  }

  async #inTurn<T>(step: () => Promise<T>): Promise<T> {
    if (this.#worked < this.#limits.worked) this.#worked += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await step();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#worked -= 1;
      else next();
    }
  }
}

/** For an upload whose body has come: it is worked on, and nothing takes its memory away. */
const ended = (): void => undefined;

/** @param account told of each part before it is kept; may throw */
function bodyOf(raw: IncomingMessage, upload: Upload, account: (size: number) => void): Promise<Buffer> {
  return new Promise<Buffer>((resolve, reject) => {
    const chunks: Buffer[] = [];
    const finish = (settle: () => void): void => {
      upload.giveUp = ended;
      raw.off('data', onData).off('end', onEnd).off('close', onClose);
      settle();
    };
    const fail = (error: Error): void => {
      chunks.length = 0;
      finish(() => {
        reject(error);
      });
    };
    const onData = (chunk: Buffer): void => {
      try {
        account(chunk.length);
        chunks.push(chunk);
      } catch (error) {
        fail(error as Error);
      }
    };
    const onEnd = (): void => {
      finish(() => {
        resolve(Buffer.concat(chunks));
      });
    };
    const onClose = (): void => {
      fail(new PluginServerError('bad_request', 'the upload ended before its end'));
    };
    upload.giveUp = fail;
    // An error that comes later has nobody to be told to.
    raw.on('error', (error: Error) => {
      fail(
        codeOf(error) === 'ECONNRESET'
          ? new PluginServerError('bad_request', 'the upload ended before its end')
          : error,
      );
    });
    raw.on('data', onData).on('end', onEnd).on('close', onClose);
  });
}

/**
 * Throws `unsupported_type` for what is certainly no file: a form, or a content-encoding, whose digest could be meant of
 * either side. Any other type is welcome, as clients send what they like: the bytes tell what they are.
 */
export function checkUploadType({ headers }: FastifyRequest): void {
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') throw new PluginServerError('unsupported_type', `content-encoding ${encoding}`);
  const type = headers['content-type'] ?? '';
  if (/^multipart\//i.test(type)) throw new PluginServerError('unsupported_type', 'a multipart form');
}
