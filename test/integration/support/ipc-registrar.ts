/** A registry in another process, over the channel that fork() makes: both ends of it. */
import type { ChildProcess } from 'node:child_process';
import type { MemoryRegistry, Registrar, Registration } from 'fairlead';
import type { FromRolling, RegistryAnswer, RegistryQuestion } from './rolling-protocol.js';

type Question = RegistryQuestion extends infer Q ? (Q extends RegistryQuestion ? Omit<Q, 'ask'> : never) : never;

/** The instance's end. */
export const ipcRegistrar = (): Registrar => {
  const waiting = new Map<number, { resolve(): void; reject(error: Error): void }>();
  let last = 0;
  process.on('message', ({ answer, error }: RegistryAnswer) => {
    const question = waiting.get(answer);
    waiting.delete(answer);
    if (error === undefined) question?.resolve();
    else question?.reject(new Error(error));
  });
  const ask = (question: Question): Promise<void> =>
    new Promise((resolve, reject) => {
      last += 1;
      waiting.set(last, { resolve, reject });
      process.send!({ ...question, ask: last });
    });
  return {
    async register(input) {
      await ask({ what: 'register', input });
      let state: Registration['state'] = 'registered';
      return {
        id: input.id!,
        get state() {
          return state;
        },
        on: () => () => undefined,
        update: patch => ask({ what: 'update', patch }),
        async deregister() {
          state = 'closed';
          await ask({ what: 'deregister' });
        },
      };
    },
  };
};

/** The parent's end. */
export const serveRegistry = (child: ChildProcess, registry: MemoryRegistry): void => {
  let registration: Registration | undefined;
  const act = async (question: RegistryQuestion): Promise<void> => {
    if (question.what === 'register') registration = await registry.register(question.input);
    else if (question.what === 'update') await registration?.update(question.patch);
    else await registration?.deregister();
  };
  const answer = (message: RegistryAnswer): void => void (child.connected && child.send(message));
  child.on('message', (message: FromRolling) => {
    if (!('ask' in message)) return;
    act(message).then(
      () => answer({ answer: message.ask }),
      (error: unknown) => answer({ answer: message.ask, error: String(error) }),
    );
  });
};
