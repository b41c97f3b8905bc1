/** Checks whom the signals stop. */
import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import type { Pager } from '../../src/cli/pager.ts';
import { StopSignals } from '../../src/cli/stop-signals.ts';
import { memorySink } from './host.ts';

test('the first signal stops, the second is left to the system', () => {
  const process = new EventEmitter();
  const { signal } = new StopSignals(process);
  expect(signal.aborted).toBe(false);
  process.emit('SIGTERM', 'SIGTERM');
  expect(signal.aborted).toBe(true);
  expect(process.eventNames()).toEqual([]);
});

test('Ctrl-C is for the pager as long as it runs', async () => {
  const process = new EventEmitter();
  const stop = new StopSignals(process);
  const pager: Pager = stop.leftTo({ ...memorySink(), close: async () => ({ ran: true }) });
  process.emit('SIGINT', 'SIGINT');
  expect(stop.signal.aborted).toBe(false);
  expect(await pager.close()).toEqual({ ran: true });
  process.emit('SIGINT', 'SIGINT');
  expect(stop.signal.aborted).toBe(true);
});
