/** One rule of a shared contract. `run` throws, or rejects with, an Error that says how it was broken. */
export interface ContractCase {
  readonly name: string;
  run(): void | Promise<void>;
}

/** Throws when a rule does not hold. */
export const check = (holds: boolean, message: string): void => {
  if (!holds) throw new Error(message);
};
