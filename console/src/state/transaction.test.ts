import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Client } from '../api/client';
import { Failure } from '../api/failure';
import { Transaction } from './transaction.svelte';

const START = Date.parse('2030-01-01T00:00:00Z');
const ROLLED_BACK = 'Transaction with Id: "x" was not found. It was rolled back because an operator ended it.';

beforeEach(() => vi.useFakeTimers({ now: START }));
afterEach(() => vi.useRealTimers());

/** A gateway with an open transaction that ends after ten seconds; `asked` gets the methods of what is asked after that. */
async function open(answer: () => unknown) {
  const asked: string[] = [];
  const opened = () => {
    const expires = new Date(Date.now() + 10_000).toISOString();
    return { answer: new Response(), document: { transaction: { id: 'x', expires } } };
  };
  const json = vi.fn(async () => opened());
  const transaction = new Transaction();
  await transaction.begin({ json } as unknown as Client, 'neo4j');
  json.mockImplementation(async (...[, options]: [string?, { method?: string }?]) => {
    asked.push(options?.method ?? 'POST');
    answer();
    return opened();
  });
  return { transaction, asked };
}

const refuse = (failure: Failure) => () => {
  throw failure;
};

describe('a transaction', () => {
  it.each([
    ['the gateway’s reason', refuse(new Failure('x', ROLLED_BACK, 404)), 'an operator ended it'],
    ['its sign-in', refuse(new Failure('x', 'expired', 401)), 'the sign-in that began it has expired'],
    ['nothing', refuse(new Failure('x', 'unreachable')), 'no statement had used it for too long'],
    ['its end, since it was still there', () => {}, 'no statement had used it for too long'],
  ])('that is not used in time is lost, and says why: the answer is %s', async (_, answer, reason) => {
    const { transaction, asked } = await open(answer);
    await vi.advanceTimersByTimeAsync(10_900);
    expect([transaction.state, transaction.secondsLeft, asked]).toEqual(['open', 0, []]);
    await vi.advanceTimersByTimeAsync(1000);
    expect([transaction.state, transaction.reason, asked]).toEqual(['lost', reason, ['DELETE']]);
  });

  it('does not end while a statement runs inside', async () => {
    const { transaction, asked } = await open(refuse(new Failure('x', 'gone', 404)));
    const statement = transaction.use(() => new Promise((done) => setTimeout(done, 60_000)));
    await vi.advanceTimersByTimeAsync(59_000);
    expect([transaction.state, transaction.secondsLeft, asked]).toEqual(['open', 10, []]);
    await vi.advanceTimersByTimeAsync(1000);
    await statement;
    transaction.renewed(new Date(Date.now() + 10_000).toISOString(), null);
    await vi.advanceTimersByTimeAsync(9000);
    expect(transaction.state).toBe('open');
  });

  it.each([
    ['failed', new Failure('x', 'division by zero', 200), 'a statement in it failed'],
    ['was cancelled', new Failure('Cancelled', 'Cancelled.'), 'its statement was cancelled'],
    ['was refused', new Failure('x', 'expired', 401), 'the sign-in that began it has expired'],
    ['came too late', new Failure('x', ROLLED_BACK, 404), 'an operator ended it'],
  ])('is lost with a statement that %s', async (_, failure, reason) => {
    const { transaction, asked } = await open(refuse(new Failure('x', 'Transaction was not found.', 404)));
    await transaction.check(failure);
    expect([transaction.state, transaction.reason, asked]).toEqual(['lost', reason, ['POST']]);
  });

  it.each([
    ['was refused before it was executed', () => {}, new Failure('x', 'The parameters are no object.', 400)],
    ['did not reach the gateway', refuse(new Failure('x', 'unreachable')), new Failure('x', 'unreachable')],
  ])('goes on after a statement that %s', async (_, answer, failure) => {
    const { transaction } = await open(answer);
    await transaction.check(failure);
    expect([transaction.state, transaction.secondsLeft]).toEqual(['open', 10]);
  });
});
