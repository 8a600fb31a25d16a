/**
 * The demo: three instances of a service die, crawl and fail, and the caller does not notice.
 *
 *   options.ts   the command line            registries.ts  where instances are found, on servers by places.ts
 *   run.ts       one run                     fleet.ts       the processes, and what is done to them
 *   script.ts    what happens when           instance.ts    one instance
 *   load.ts      the caller                  meter.ts       who gets how much
 *   witness.ts   out in time, back in time?  journal.ts     what fairlead did, in sentences
 *   view.ts      terminal or plain lines, drawn by panel.ts and paint.ts
 */
import { readOptions, USAGE, UsageError } from './options.js';
import { runDemo } from './run.js';
import { summarise } from './summary.js';
import { createView } from './view.js';

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

class Interrupted extends Error {
  readonly exitCode: number;

  constructor(signal: keyof typeof EXIT_CODES) {
    super(`stopped by ${signal}`);
    this.exitCode = EXIT_CODES[signal];
  }
}

const interruption = (): AbortSignal => {
  const controller = new AbortController();
  for (const name of Object.keys(EXIT_CODES) as (keyof typeof EXIT_CODES)[])
    process.on(name, () => {
      // Asked twice: at once. What was started dies with this process.
      if (controller.signal.aborted) process.exit(EXIT_CODES[name]);
      controller.abort(new Interrupted(name));
    });
  // Whoever read our output has gone, as `| head` does.
  process.stdout.on('error', () => process.exit(1));
  return controller.signal;
};

const main = async (): Promise<number> => {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) {
    console.log(USAGE);
    return 0;
  }
  const signal = interruption();
  const { lines, exitCode } = summarise(await runDemo(options, createView(process.stdout), signal));
  console.log(`\n${lines.join('\n')}`);
  return exitCode;
};

const failed = (error: unknown): number => {
  console.error(`demo: ${error instanceof Error ? error.message : String(error)}`);
  if (error instanceof UsageError) console.error('      npm run demo -- --help tells what there is');
  // A server that was about to start would keep this process alive.
  if (error instanceof Interrupted) process.exit(error.exitCode);
  return error instanceof UsageError ? 2 : 1;
};

process.exitCode = await main().catch(failed);
