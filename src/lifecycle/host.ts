import { constants, networkInterfaces } from 'node:os';

export interface NetworkAddress {
  readonly address: string;
  /** Node 18.0–18.3 told numbers. */
  readonly family: string | number;
  readonly internal: boolean;
}

/** What a service's life needs of the machine and the process around it: handed in, so that tests hand in another one. */
export interface Host {
  readonly env: Readonly<Record<string, string | undefined>>;
  networkInterfaces(): Readonly<Record<string, readonly NetworkAddress[] | undefined>>;
  onSignal(signal: NodeJS.Signals, listener: () => void): void;
  offSignal(signal: NodeJS.Signals, listener: () => void): void;
  listenerCount(signal: NodeJS.Signals): number;
  /** 15 for SIGTERM. */
  numberOf(signal: NodeJS.Signals): number;
  /** What the process will end with, if it ends by itself. */
  exitCode: number | string | null | undefined;
  exit(code: number): void;
  warn(message: string): void;
}

export const systemHost: Host = {
  get env() {
    return process.env;
  },
  networkInterfaces,
  // Before all others: a `once` listener that has run would not be counted any more.
  onSignal: (signal, listener) => void process.prependListener(signal, listener),
  offSignal: (signal, listener) => void process.off(signal, listener),
  listenerCount: signal => process.listenerCount(signal),
  numberOf: signal => constants.signals[signal],
  get exitCode() {
    return process.exitCode;
  },
  set exitCode(code) {
    process.exitCode = code;
  },
  exit: code => process.exit(code),
  warn: message => process.emitWarning(message, 'FairleadWarning'),
};
