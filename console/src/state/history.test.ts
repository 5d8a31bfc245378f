import { beforeEach, describe, expect, it, vi } from 'vitest';

const stored = new Map<string, string>();
vi.stubGlobal('localStorage', {
  getItem: (key: string) => stored.get(key) ?? null,
  setItem: (key: string, value: string) => stored.set(key, value),
});
const { History } = await import('./history.svelte');

beforeEach(() => stored.clear());

describe('the history', () => {
  it('has each statement once, the latest first, and at most a hundred', () => {
    const history = new History();
    for (let i = 0; i < 120; i++) history.add(`RETURN ${i}`);
    history.add(' RETURN 50 ');
    history.add('');
    expect([history.items.length, history.items[0], history.items[1]]).toEqual([100, 'RETURN 50', 'RETURN 119']);
    expect(new History().items).toEqual(history.items);
  });

  it('is gone through backwards and forwards, and comes back to what was being written', () => {
    const history = new History();
    for (const statement of ['one', 'two']) history.add(statement);
    expect(history.step(-1, 'draft')).toBeNull();
    expect([history.step(1, 'draft'), history.step(1, 'two'), history.step(1, 'one')]).toEqual(['two', 'one', null]);
    expect([history.step(-1, 'one'), history.step(-1, 'two'), history.step(-1, 'draft')]).toEqual([
      'two',
      'draft',
      null,
    ]);
  });

  it.each(['no JSON', '{"a": 1}', '[1, null]'])('begins anew where %s is stored', (text) => {
    stored.set('boltgate.history', text);
    expect(new History().items).toEqual([]);
  });
});
