/** What the demo shows at one moment, as lines: a panel for terminals, a single line for everything else. */
import type { Seen } from './meter.js';
import type { Line, Piece, Style } from './paint.js';

export interface Row {
  readonly name: string;
  /** What the demo has done to it. */
  readonly really: 'alive' | 'dead' | 'slow' | 'failing';
  /** What fairlead makes of it; absent while the registry does not list it. */
  readonly seen: Seen | undefined;
}

export interface Frame {
  readonly label: string;
  readonly atMs: number;
  readonly lengthMs: number;
  readonly rows: readonly Row[];
  readonly caller: {
    readonly gets: { readonly ok: number; readonly failed: number };
    readonly posts: { readonly ok: number; readonly failed: number };
    readonly retries: number;
    readonly perSecond: number;
    readonly p50Ms?: number | undefined;
    readonly p99Ms?: number | undefined;
  };
}

const REALLY: Record<Row['really'], readonly [string, Style]> = {
  alive: ['alive', 'plain'],
  dead: ['dead', 'red'],
  slow: ['20x slower', 'red'],
  failing: ['answers 503', 'red'],
};
const STATES: Record<Seen['state'] | 'unlisted', Style> = {
  serving: 'green',
  out: 'red',
  trial: 'yellow',
  unlisted: 'dim',
};
/** Everything in a row up to the bar. */
const FIXED_COLUMNS = 49;
const LONGEST_BAR = 30;
/** An instance that is expected to take so many times longer than another needs an explanation. */
const MUCH_SLOWER = 3;

export const time = (ms: number): string => `t=${(ms / 1_000).toFixed(2)} s`;
const percent = (share: number): string => `${Math.round(share * 100)} %`;
const millis = (ms: number | undefined): string => (ms === undefined ? '-' : `${Math.round(ms)} ms`);

export const panel = (frame: Frame, columns: number): readonly Line[] => [
  [
    ['fairlead demo', 'bold'],
    [`  ${(Math.min(frame.atMs, frame.lengthMs) / 1_000).toFixed(1)} of ${Math.round(frame.lengthMs / 1_000)} s`],
    [`  three instances, one caller, ${frame.label}`, 'dim'],
  ],
  [
    [
      `  ${'really'.padEnd(12)}fairlead ${'share'.padStart(5)}${'latency'.padStart(8)}${'in flight'.padStart(11)}`,
      'dim',
    ],
  ],
  ...frame.rows.map(row => instanceLine(row, { frame, room: columns - FIXED_COLUMNS })),
  ...callerLines(frame.caller),
];

const instanceLine = ({ name, really, seen }: Row, { frame, room }: { frame: Frame; room: number }): Line => {
  const [word, style] = REALLY[really];
  const state = seen?.state ?? 'unlisted';
  const share = seen?.share ?? 0;
  const reason = why(seen, frame);
  // Who is out has no share to draw: the reason takes the place of the bar.
  const bar = state === 'serving' ? '█'.repeat(Math.round(share * Math.max(0, Math.min(LONGEST_BAR, room)))) : '';
  return [
    [`${name} `, 'bold'],
    [word.padEnd(12), style],
    [state.padEnd(9), STATES[state]],
    [percent(share).padStart(5)],
    [millis(seen?.latencyMs).padStart(8)],
    [`${seen?.inFlight ?? 0}  `.padStart(13)],
    [bar, STATES[state]],
    [bar && reason ? ` ${reason}` : reason, state === 'serving' ? 'yellow' : STATES[state]],
  ];
};

const callerLines = ({ gets, posts, retries, perSecond, p50Ms, p99Ms }: Frame['caller']): readonly Line[] => [
  [
    ['caller  ', 'bold'],
    [`GETs ${gets.ok} ok, `],
    [`${gets.failed} failed`, gets.failed > 0 ? 'red' : 'green'],
    [`; POSTs ${posts.ok} ok, `],
    [`${posts.failed} failed`, posts.failed > 0 ? 'yellow' : 'green'],
    [`; ${retries} retries`],
  ],
  [[`        ${perSecond}/s, p50 ${millis(p50Ms)}, p99 ${millis(p99Ms)}`]],
];

/** Why an instance gets no calls, or few. */
const why = (seen: Seen | undefined, { rows }: Frame): string => {
  if (seen === undefined) return 'not in the registry';
  if (seen.state === 'out') return `${seen.reason}, ${(seen.availableInMs / 1_000).toFixed(1)} s left`;
  if (seen.state === 'trial') return 'single probes';
  const others = rows.flatMap(row => (row.seen?.state === 'serving' && row.seen !== seen ? [row.seen.expectedMs] : []));
  if (others.length === 0 || seen.expectedMs < MUCH_SLOWER * Math.min(...others)) return '';
  return `expects ${millis(seen.expectedMs)}`;
};

/** The same on one line, for logs and pipes. */
export const plainLine = (frame: Frame): string => {
  const { gets, perSecond, p99Ms, retries } = frame.caller;
  const cells = frame.rows.map(({ name, seen }) => {
    const reason = why(seen, frame);
    const share = percent(seen?.share ?? 0);
    return `${name} ${seen?.state ?? 'unlisted'} ${share} ${millis(seen?.latencyMs)}${reason && ` (${reason})`}`;
  });
  const caller = `${perSecond}/s, ${gets.failed} GETs failed, p99 ${millis(p99Ms)}, ${retries} retries`;
  return `${time(frame.atMs)}  ${[...cells, caller].join(' | ')}`;
};

export type Source = 'fault' | 'heal' | 'fairlead';

/** Something that was done to an instance, or that fairlead did about it. */
export interface Entry {
  readonly atMs: number;
  readonly source: Source;
  readonly text: string;
}

const SOURCES: Record<Source, Style> = { fault: 'red', heal: 'green', fairlead: 'cyan' };

export const entryLine = ({ atMs, source, text }: Entry): Line => {
  const pieces: Piece[] = [[time(atMs).padStart(10), 'dim'], [`  ${source.padEnd(10)}`, SOURCES[source]], [text]];
  return pieces;
};
