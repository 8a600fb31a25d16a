/** Lines of coloured pieces that never get wider than the terminal. */
const CODES = { plain: '', bold: '1', dim: '2', red: '31', green: '32', yellow: '33', cyan: '36' } as const;

export type Style = keyof typeof CODES;
export type Piece = readonly [text: string, style?: Style];
export type Line = readonly Piece[];

export interface Canvas {
  /** Characters per line. */
  readonly columns: number;
  readonly colours: boolean;
}

/** A longer line is cut: a wrapped one would spoil the redrawing in place. */
export const paint = (line: Line, { columns, colours }: Canvas): string => {
  let left = columns;
  let painted = '';
  for (const [text, style = 'plain'] of line) {
    const shown = text.slice(0, left);
    left -= shown.length;
    painted += colours && CODES[style] !== '' && shown !== '' ? `\x1b[${CODES[style]}m${shown}\x1b[0m` : shown;
  }
  return painted;
};
