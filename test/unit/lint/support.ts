/** The project's own lint configuration, run on texts that are in no file. */
import { ESLint } from 'eslint';
import { fileURLToPath } from 'node:url';
import tseslint from 'typescript-eslint';

export const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Rules that need types cost seconds, and those that are asked here need none: they are switched off, the rest is as it is. */
const untyped = new ESLint({ cwd: root, overrideConfig: [tseslint.configs.disableTypeChecked] });
const typed = new ESLint({ cwd: root });

/** `rule: message` of each complaint about `text`, were it the content of `file`. */
export const lint = (file: string, text: string): Promise<string[]> => complaints(untyped, file, text);

/** The same with types: `file` has to be one that exists, since the compiler has to know it. */
export const lintTyped = (file: string, text: string): Promise<string[]> => complaints(typed, file, text);

const complaints = async (eslint: ESLint, file: string, text: string): Promise<string[]> => {
  const [result] = await eslint.lintText(text, { filePath: `${root}/${file}` });
  if (result === undefined) throw new Error(`${file} is ignored by the lint configuration`);
  return result.messages.map(({ ruleId, message }) => `${ruleId}: ${message}`);
};
