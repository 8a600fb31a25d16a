import config from '../../tsup.config.js';

export interface Door {
  /** As it is imported. */
  readonly name: string;
  /** The source, from the repository's root. */
  readonly file: string;
}

const { entry } = config as { readonly entry: Readonly<Record<string, string>> };

/** What the build makes doors of: there is no second list. */
export const doors: readonly Door[] = Object.entries(entry).map(([name, file]) => ({
  name: name === 'index' ? 'fairlead' : `fairlead/${name}`,
  file,
}));
