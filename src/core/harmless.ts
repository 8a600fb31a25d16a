import { isSecretName, withoutSecrets } from './secrets.js';

const HIDDEN = '***';
/** Causes of causes, and fields of fields, as far as they are looked at … */
const DEEPEST = 4;
/** … and so many in all: an error may hold sockets and requests. What was not looked at is not passed on. */
const MOST_FIELDS = 200;

/**
 * The error itself; where it holds a secret, a copy of the same kind that says the same without, and without the objects
 * that hang on it. An error belongs to who threw it: it is never changed.
 */
export const harmless = (error: unknown): unknown =>
  holdsSecret(error, { left: MOST_FIELDS }, 0) ? copyOf(error, 0) : error;

/** What is told to listeners: the errors of others in it may quote anything. */
export const harmlessEvent = <E extends object>(event: E): E => {
  const { error, cause, problem } = event as Telling;
  if (error === undefined && problem === undefined && typeof cause !== 'object') return event;
  return {
    ...event,
    ...(error === undefined ? {} : { error: harmless(error) }),
    ...(typeof cause === 'object' ? { cause: harmless(cause) } : {}),
    ...(problem ? { problem: { ...harmlessEvent(problem), message: withoutSecrets(problem.message) } } : {}),
  };
};

interface Telling {
  readonly error?: unknown;
  /** An error; of `instance.down` a word. */
  readonly cause?: unknown;
  readonly problem?: { readonly message: string; readonly cause?: unknown };
}

const holdsSecret = (value: unknown, fields: { left: number }, depth: number): boolean => {
  if (typeof value === 'string') return withoutSecrets(value) !== value;
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false;
  const own = fieldsOf(value);
  fields.left -= own.length;
  if (fields.left < 0 || depth > DEEPEST) return own.length > 0;
  return own.some(
    ([name, field]) =>
      (typeof field === 'string' && field !== HIDDEN && isSecretName(name)) || holdsSecret(field, fields, depth + 1),
  );
};

const copyOf = (value: unknown, depth: number): unknown => {
  if (typeof value === 'string') return withoutSecrets(value);
  if (typeof value !== 'object' || value === null) return value;
  if (!(value instanceof Error) || depth > DEEPEST) return undefined;
  const copy = new Error(withoutSecrets(value.message));
  Object.setPrototypeOf(copy, Object.getPrototypeOf(value) as object);
  for (const [name, field] of fieldsOf(value)) {
    if (name === 'message') continue;
    const kept = Array.isArray(field) ? field.map(each => copyOf(each, depth + 1)) : copyOf(field, depth + 1);
    const hidden = typeof field === 'string' && isSecretName(name);
    const enumerable = Object.prototype.propertyIsEnumerable.call(value, name);
    define(copy, name, { value: hidden ? HIDDEN : kept, enumerable });
  }
  define(copy, 'stack', { value: withoutSecrets(String(value.stack)), enumerable: false });
  return copy;
};

const define = (target: object, name: string, field: { value: unknown; enumerable: boolean }): void =>
  void Object.defineProperty(target, name, { ...field, writable: true, configurable: true });

/** Without the stack, which is dear to make and begins with the message; and without getters, which may throw. */
const fieldsOf = (value: object): [name: string, field: unknown][] =>
  Object.getOwnPropertyNames(value)
    .filter(name => name !== 'stack')
    .flatMap(name => {
      const field = Object.getOwnPropertyDescriptor(value, name);
      return field !== undefined && 'value' in field ? [[name, field.value as unknown]] : [];
    });
