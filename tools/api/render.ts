import type { DoorSurface, Entry } from './surface.js';

const HEAD = `# The public surface

Generated from the sources by \`npm run api\`; do not edit. What is not here is internal and may change in any release.
`;

/** The surface as Markdown. */
export const render = (surface: readonly DoorSurface[]): string =>
  `${[HEAD, ...surface.map(renderDoor)].join('\n').trimEnd()}\n`;

const renderDoor = ({ name, exports, parts }: DoorSurface): string => {
  const sections = [`## \`${name}\`\n`];
  sections.push(exports.length === 0 ? 'Nothing yet.\n' : exports.map(renderEntry).join('\n'));
  if (parts.length > 0)
    sections.push('### Part of the above, without a name to import\n', declared(parts.map(({ text }) => text)));
  return sections.join('\n');
};

const renderEntry = ({ name, kind, summary, text }: Entry): string =>
  [`### \`${name}\` (${kind})\n`, ...(summary === '' ? [] : [`${summary}\n`]), declared([text])].join('\n');

const declared = (texts: readonly string[]): string => `\`\`\`ts\n${texts.join('\n\n')}\n\`\`\`\n`;
