// Why a recording cannot be opened or played, in words for the one who looks at it.

/** wrong_key: another key or passphrase; damaged: not the bytes that were sealed; malformed: not what it should be. */
export type FailureCode = 'wrong_key' | 'damaged' | 'malformed' | 'unsupported' | 'unreachable';

export class Failure extends Error {
  constructor(
    readonly code: FailureCode,
    message: string,
  ) {
    super(message);
    this.name = 'Failure';
  }
}

export const damaged = (what: string) => new Failure('damaged', what);
export const malformed = (what: string) => new Failure('malformed', what);
export const wrongKey = (what: string) => new Failure('wrong_key', what);
