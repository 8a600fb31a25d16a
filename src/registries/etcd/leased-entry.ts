/** One instance's key under a lease of its own: it ends with its owner, or with a revocation. */
import { FairleadError, isFairleadError } from '../../core/errors.js';
import type { ServiceInstance } from '../../core/instance.js';
import type { Entry } from '../shared/entry.js';
import type { Connection, Question } from './connection.js';
import { refusalOf, statusOf } from './failure.js';
import { valueOf } from './layout.js';
import type { CallOptions, RawEtcd, Stream } from './peer.js';

export interface LeasePlan {
  readonly connection: Connection;
  readonly service: string;
  readonly key: string;
  readonly ttlMs: number;
}

export class LeasedEntry implements Entry {
  readonly name: string;
  readonly ownStatus = true;
  readonly #plan: LeasePlan;
  #lease: string | undefined;
  /** A write that was given up may still arrive, under the lease of its time. */
  #formerLease: string | undefined;

  constructor(plan: LeasePlan) {
    this.#plan = plan;
    this.name = `etcd key ${plan.key}`;
  }

  /** Takes the key over, whoever had it. Its create revision stays as long as it exists. */
  async write(instance: ServiceInstance, _status: unknown, signal?: AbortSignal): Promise<void> {
    const { key, service } = this.#plan;
    const value = valueOf(instance);
    for (let tries = 1; ; tries += 1) {
      try {
        const lease = (this.#lease ??= await this.#grant(signal));
        const request = { key: Buffer.from(key), value, lease };
        await this.#ask(`a write of ${key}`, (client, options) => client.kv.put(request, options), signal);
        return;
      } catch (error) {
        // The lease ran out: nobody tells its owner.
        if (tries > 1 || statusOf(error) !== 'NOT_FOUND') throw refusalOf(error, service);
        this.#leaseEnded();
      }
    }
  }

  /** Renews the lease, and looks whether the key is still under it: it may have been deleted. */
  async pulse(_instance: ServiceInstance, signal: AbortSignal): Promise<boolean> {
    const { key, service } = this.#plan;
    const lease = this.#lease;
    if (lease === undefined) return false;
    if (!(await this.#renew(lease, signal))) {
      this.#leaseEnded();
      return false;
    }
    const request = { key: Buffer.from(key), keys_only: true };
    const { kvs } = await this.#ask(`a read of ${key}`, (client, options) => client.kv.range(request, options), signal);
    const holder = kvs[0]?.lease;
    if (holder === lease) return true;
    // A key without a lease would outlive its instance.
    if (holder === undefined || holder === '0' || holder === this.#formerLease) return false;
    const message = `${service}: ${this.name} was taken by another registration, and is put back when that ends`;
    throw new FairleadError('REGISTRATION_FAILED', message, { service });
  }

  async remove(): Promise<void> {
    const lease = this.#lease;
    if (lease === undefined) return;
    const { connection } = this.#plan;
    // With its lease goes the key, and a write that arrives later; what another owner has put there stays.
    await connection
      .ask({
        what: `a revocation of the lease of ${this.#plan.key}`,
        send: (client, options) => client.leaseClient.leaseRevoke({ ID: lease }, options),
        runtime: connection.settings.runtime,
        farewell: true,
      })
      .catch((error: unknown) => {
        if (!isFairleadError(error) || statusOf(error) !== 'NOT_FOUND') throw error;
      });
  }

  async #grant(signal: AbortSignal | undefined): Promise<string> {
    // Whole seconds: etcd knows no less.
    const request = { TTL: Math.ceil(this.#plan.ttlMs / 1_000) };
    const what = `a lease for ${this.#plan.key}`;
    return (await this.#ask(what, (client, options) => client.leaseClient.leaseGrant(request, options), signal)).ID;
  }

  /** False: there is no such lease any more. */
  async #renew(lease: string, signal: AbortSignal): Promise<boolean> {
    const send = async (client: RawEtcd, options: CallOptions): Promise<{ readonly TTL: string }> =>
      firstAnswer(await client.leaseClient.leaseKeepAlive(options), { ID: lease });
    return Number((await this.#ask(`a heartbeat of ${this.#plan.key}`, send, signal)).TTL) > 0;
  }

  #leaseEnded(): void {
    this.#formerLease = this.#lease;
    this.#lease = undefined;
  }

  #ask<T>(what: string, send: Question<T>['send'], signal: AbortSignal | undefined): Promise<T> {
    const { connection } = this.#plan;
    return connection.ask({ what, send, signal, runtime: connection.settings.runtime });
  }
}

/** A stream for one question. A lasting one would tell of its end no sooner than the next question does. */
const firstAnswer = <T>(stream: Stream<T>, request: object): Promise<T> =>
  new Promise((resolve, reject) => {
    stream.on('data', answer => {
      resolve(answer);
      stream.end();
    });
    stream.on('error', error => {
      reject(error);
      stream.end();
    });
    stream.on('end', () => reject(new Error('the stream ended without an answer')));
    stream.write(request);
  });
