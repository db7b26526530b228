// Requests to the node: JSON in, JSON out, refusals as ApiError.
import type { Me } from '../core/types.ts';

interface ErrorBody {
  code: string;
  who: string;
  what: string;
  because?: ErrorBody;
}

/** What the node refused, in its own words. `status` is 0 where no answer came. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    what: string,
  ) {
    super(what);
    this.name = 'ApiError';
  }
}

function worded(error: ErrorBody): string {
  return error.because ? `${error.what} (${worded(error.because)})` : error.what;
}

/** A path or id as one segment of an address. */
export const segment = (text: string) => encodeURIComponent(text);

export class Api {
  private csrf = '';
  /** Called when the node no longer knows this browser. */
  onSignedOut = () => {};

  async signIn(): Promise<Me> {
    const me = await this.get<Me>('/v1/me');
    this.csrf = me.csrf;
    return me;
  }

  get<T>(address: string, signal?: AbortSignal): Promise<T> {
    return this.ask<T>('GET', address, undefined, signal);
  }
  post<T>(address: string, body: object = {}): Promise<T> {
    return this.ask<T>('POST', address, body);
  }
  remove<T>(address: string): Promise<T> {
    return this.ask<T>('DELETE', address);
  }

  private async ask<T>(method: string, address: string, body?: object, signal?: AbortSignal): Promise<T> {
    const headers: Record<string, string> = {};
    if (method !== 'GET') headers['X-Lucid-CSRF'] = this.csrf;
    if (body) headers['Content-Type'] = 'application/json';
    let answer: Response;
    try {
      answer = await fetch(address, { method, headers, body: body ? JSON.stringify(body) : null, signal: signal ?? null });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ApiError(0, 'unreachable', 'the node does not answer');
    }
    const told = (await answer.json().catch(() => ({}))) as T & { error?: ErrorBody };
    if (answer.ok) return told;
    if (answer.status === 401) this.onSignedOut();
    const error = told.error;
    throw new ApiError(
      answer.status,
      error?.code ?? 'unknown',
      error ? worded(error) : `the node answered ${answer.status}`,
    );
  }
}
