/** A form as multipart/form-data (RFC 7578): a Blob of its parts, so that its length is known and no file is read ahead. */
export const toMultipart = (
  form: FormData,
  random: () => number,
): { readonly body: Blob; readonly contentType: string } => {
  const boundary = `----fairlead-${digits(random())}${digits(random())}`;
  const parts: (string | Blob)[] = [];
  for (const [name, value] of form) {
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${escaped(withLineEnds(name))}"`;
    if (typeof value === 'string') parts.push(`${head}\r\n\r\n${withLineEnds(value)}\r\n`);
    else parts.push(`${head}${describe(value)}\r\n\r\n`, value, '\r\n');
  }
  parts.push(`--${boundary}--\r\n`);
  return { body: new Blob(parts), contentType: `multipart/form-data; boundary=${boundary}` };
};

const describe = ({ name, type }: File): string =>
  `; filename="${escaped(name)}"\r\nContent-Type: ${type || 'application/octet-stream'}`;

const digits = (chance: number): string =>
  Math.floor(chance * 1e11)
    .toString()
    .padStart(11, '0');

/** As the HTML standard encodes forms. */
const withLineEnds = (text: string): string => text.replace(/\r?\n|\r/g, '\r\n');
const escaped = (text: string): string => text.replaceAll('\n', '%0A').replaceAll('\r', '%0D').replaceAll('"', '%22');
