import { expect, it } from 'vitest';
import type { Client } from '../api/client';
import type { Event } from '../api/events';
import { Failure } from '../api/failure';
import { Result } from './result.svelte';

type Events = ReturnType<Client['events']>;

const HEADER: Event = { $event: 'Header', _body: { fields: ['n'] } };
const record = (n: number): Event => ({ $event: 'Record', _body: [{ $type: 'Integer', _value: String(n) }] });
const SUMMARY = { $event: 'Summary', _body: {} } as Event;

/** An answer with these events; what is no event is waited for, or thrown. */
async function* answer(...parts: (Event | Promise<void> | Error)[]): Events {
  for (const part of parts) {
    if (part instanceof Error) throw part;
    if (part instanceof Promise) await part;
    else yield { line: JSON.stringify(part), event: part };
  }
}

it('holds what an answer says', async () => {
  const result = new Result();
  expect(await result.run('q', () => answer(HEADER, record(1), record(2), SUMMARY))).toBeNull();
  expect([result.state, result.fields, result.count, result.rows.length, result.lines.length]).toEqual([
    'done',
    ['n'],
    2,
    2,
    4,
  ]);
});

it.each([
  ['error', new Failure('Neo.ClientError.Statement.ArithmeticError', '/ by zero')],
  ['cancelled', new Failure('Cancelled', 'Cancelled.')],
])('keeps the rows before its end: %s', async (state, failure) => {
  const result = new Result();
  expect(await result.run('q', () => answer(HEADER, record(1), failure))).toBe(failure);
  expect([result.state, result.failure, result.count]).toEqual([state, failure, 1]);
});

it.each([
  ['goes on', record(2)],
  ['is broken off', new Failure('Cancelled', 'Cancelled.')],
])('keeps nothing of an answer that was forgotten and %s', async (_, rest) => {
  const result = new Result();
  let goOn = () => {};
  const pause = new Promise<void>((resolve) => (goOn = resolve));
  let signal: AbortSignal | undefined;
  const run = result.run('q', (given) => {
    signal = given;
    return answer(HEADER, record(1), pause, rest);
  });
  await new Promise((resolve) => setTimeout(resolve));
  result.clear();
  goOn();
  await run;
  expect(signal?.aborted).toBe(true);
  expect([result.state, result.failure, result.count, result.rows, result.lines]).toEqual(['idle', null, 0, [], []]);
});
