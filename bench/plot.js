// Plots as SVG, by hand: bars, and a line. Greys and two hues that can be read on white and on black.
const WIDTH = 780;
const LEFT = 310;
const RIGHT = 70;
const BAR = 16;
const GAP = 8;
const TOP = 44;
const TEXT = '#808890';
const LINE = '#80889055';
const OURS = '#e8590c';
const THEIRS = '#5b8db8';
const PLOT = WIDTH - LEFT - RIGHT;

const escaped = text => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const label = ({ x, y, at = 'start', weight = 'normal' }, text) =>
  `<text x="${x}" y="${y}" text-anchor="${at}" font-weight="${weight}">${escaped(text)}</text>`;

const drawing = (height, title, parts) =>
  [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(title)}" font-family="system-ui, sans-serif" font-size="12" fill="${TEXT}">`,
    label({ x: 8, y: 20, weight: 'bold' }, title),
    ...parts,
    '</svg>',
    '',
  ].join('\n');

const short = value => (value >= 1_000 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3))));

/** `rows`: { name, value, ours }. `log`: lengths by powers of ten, beginning with the power below the smallest. */
export const bars = ({ title, rows, log = false, mark }) => {
  const values = rows.map(({ value }) => value);
  const least = log ? 10 ** Math.floor(Math.log10(Math.min(...values)) - 0.01) : 0;
  const share = log
    ? value => Math.log10(value / least) / Math.log10(Math.max(...values) / least)
    : value => value / Math.max(...values);
  const height = TOP + rows.length * (BAR + GAP) + 6;
  const parts = rows.flatMap(({ name, value, ours }, at) => {
    const y = TOP + at * (BAR + GAP);
    const length = Math.max(1, share(value) * PLOT).toFixed(1);
    return [
      label({ x: LEFT - 8, y: y + 12, at: 'end', weight: ours ? 'bold' : 'normal' }, name),
      `<rect x="${LEFT}" y="${y}" width="${length}" height="${BAR}" rx="2" fill="${ours ? OURS : THEIRS}"/>`,
      label({ x: LEFT + Number(length) + 6, y: y + 12 }, short(value)),
    ];
  });
  const x = mark === undefined ? undefined : (LEFT + share(mark) * PLOT).toFixed(1);
  const marked =
    x === undefined ? [] : [`<path d="M${x} ${TOP - 6}V${height - 4}" stroke="${TEXT}" stroke-dasharray="3 3"/>`];
  return drawing(height, title, [...parts, ...marked]);
};

/** `lines`: { name, ours, values }, all over the same `steps`. From 0 up. */
export const lines = ({ title, steps, lines: all, unit }) => {
  const [height, bottom] = [260, 220];
  const most = Math.max(...all.flatMap(({ values }) => values)) * 1.1;
  const x = at => 70 + (at / Math.max(1, steps.length - 1)) * (WIDTH - 150);
  const y = value => bottom - (value / most) * (bottom - TOP);
  const grid = [0, 0.25, 0.5, 0.75, 1].flatMap(part => [
    `<path d="M70 ${y(part * most).toFixed(1)}H${WIDTH - 80}" stroke="${LINE}"/>`,
    label({ x: 62, y: (y(part * most) + 4).toFixed(1), at: 'end' }, short(part * most)),
  ]);
  const axis = steps.map((step, at) => label({ x: x(at).toFixed(1), y: bottom + 18, at: 'middle' }, step));
  const drawn = all.flatMap(({ name, ours, values }) => {
    const points = values.map((value, at) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`);
    const end = { x: WIDTH - 72, y: (y(values.at(-1)) + 4).toFixed(1), weight: ours ? 'bold' : 'normal' };
    return [
      `<polyline points="${points.join(' ')}" fill="none" stroke="${ours ? OURS : THEIRS}" stroke-width="2"/>`,
      label(end, name),
    ];
  });
  return drawing(height, title, [...grid, ...axis, label({ x: 70, y: 36 }, unit), ...drawn]);
};
