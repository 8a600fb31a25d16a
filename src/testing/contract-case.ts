/** One rule of a shared contract. `run` throws, or rejects with, an Error that says how it was broken. */
export interface ContractCase {
  readonly name: string;
  run(): void | Promise<void>;
}
