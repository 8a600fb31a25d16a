/** How the demo is shown: a panel redrawn in place under a growing timeline, or plain lines. */
import type { WriteStream } from 'node:tty';
import { paint, type Canvas, type Line } from './paint.js';
import { entryLine, panel, plainLine, type Entry, type Frame } from './panel.js';

export interface View {
  /** A line that stays. */
  happened(entry: Entry): void;
  /** The newest state; several a second. */
  show(frame: Frame): void;
  /** Leaves the terminal as it was found. May be called twice. */
  end(): void;
}

export const createView = (output: NodeJS.WriteStream): View =>
  output.isTTY && process.env['TERM'] !== 'dumb' ? new TerminalView(output) : new PlainView(output);

const EVERY_MS = 1_000;

class PlainView implements View {
  readonly #output: NodeJS.WritableStream;
  #nextAtMs = EVERY_MS;

  constructor(output: NodeJS.WritableStream) {
    this.#output = output;
  }

  happened(entry: Entry): void {
    this.#output.write(`${paint(entryLine(entry), { columns: Infinity, colours: false }).trimStart()}\n`);
  }

  show(frame: Frame): void {
    if (frame.atMs < this.#nextAtMs) return;
    this.#nextAtMs = (Math.floor(frame.atMs / EVERY_MS) + 1) * EVERY_MS;
    this.#output.write(`${plainLine(frame)}\n`);
  }

  end(): void {}
}

const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
const CLEAR_BELOW = '\x1b[J';
const up = (lines: number): string => (lines > 0 ? `\x1b[${lines}A\r` : '\r');

class TerminalView implements View {
  readonly #output: WriteStream;
  readonly #restore = (): void => this.end();
  #panel: readonly Line[] = [];
  #frame: Frame | undefined;
  #drawnLines = 0;
  #ended = false;

  constructor(output: WriteStream) {
    this.#output = output;
    output.write(HIDE_CURSOR);
    process.once('exit', this.#restore);
  }

  happened(entry: Entry): void {
    this.#draw([entryLine(entry)]);
  }

  show(frame: Frame): void {
    this.#frame = frame;
    this.#draw([]);
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    process.off('exit', this.#restore);
    this.#output.write(SHOW_CURSOR);
  }

  /** One write for all: the terminal never shows half of it. Lasting lines push the panel down. */
  #draw(lasting: readonly Line[]): void {
    const canvas: Canvas = { columns: this.#output.columns || 80, colours: this.#output.hasColors() };
    if (this.#frame !== undefined) this.#panel = panel(this.#frame, canvas.columns);
    // A panel that is higher than the terminal could not be gone back to.
    const fitting = this.#panel.slice(0, Math.max(1, (this.#output.rows || 24) - 1));
    const lines = [...lasting, ...(fitting.length > 0 ? [[], ...fitting] : [])];
    const text = lines.map(line => `${paint(line, canvas)}\x1b[K\n`).join('');
    this.#output.write(up(this.#drawnLines) + text + CLEAR_BELOW);
    this.#drawnLines = lines.length - lasting.length;
  }
}
