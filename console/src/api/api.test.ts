import { afterEach, expect, it, vi } from 'vitest';
import { Client, queries } from './client';
import { Failure } from './failure';
import { lines } from './lines';

const LINES = 'application/vnd.neo4j.query.v1.2+jsonl';

function body(...parts: string[]): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(parts.join(''));
  // In pieces that cut characters in two.
  return new ReadableStream({
    start(controller) {
      for (let i = 0; i < bytes.length; i += 3) controller.enqueue(bytes.slice(i, i + 3));
      controller.close();
    },
  });
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all = [];
  for await (const item of source) all.push(item);
  return all;
}

function answers(status: number, type: string, ...parts: string[]) {
  const fetch = vi.fn(async () => new Response(body(...parts), { status, headers: { 'Content-Type': type } }));
  vi.stubGlobal('fetch', fetch);
  return fetch;
}

afterEach(() => vi.unstubAllGlobals());

it('finds lines in any pieces', async () => {
  expect(await collect(lines(body('ä\n', '\nüö\n', 'end')))).toEqual(['ä', 'üö', 'end']);
  expect(await collect(lines(body()))).toEqual([]);
});

it('sends no credentials of the browser, and its own in a header', async () => {
  const fetch = answers(202, LINES, '{"$event":"Summary","_body":{}}');
  await collect(new Client({ Authorization: 'Basic x' }).events(queries('a b'), { statement: 'RETURN 1' }));
  const [path, init] = fetch.mock.calls[0] as unknown as [string, RequestInit];
  expect(path).toBe('/db/a%20b/query/v2');
  expect(init).toMatchObject({
    credentials: 'omit',
    redirect: 'error',
    headers: { Authorization: 'Basic x', Accept: LINES },
  });
});

it.each([
  [
    'an error after rows',
    202,
    LINES,
    '{"$event":"Header","_body":{"fields":[]}}\n{"$event":"Error","_body":[{"code":"C","message":"M"}]}',
    'C',
  ],
  [
    'a refusal',
    401,
    'application/json',
    '{"errors":[{"code":"Neo.ClientError.Security.Unauthorized","message":"M"}]}',
    'Neo.ClientError.Security.Unauthorized',
  ],
  ['an answer that is no JSON', 502, 'text/html', '<h1>Bad Gateway</h1>', 'HTTP 502'],
  ['an answer without an end', 202, LINES, '{"$event":"Header","_body":{"fields":[]}}\n', 'Connection'],
])('fails with %s', async (_, status, type, text, code) => {
  answers(status, type, text);
  const failure = await collect(new Client().events('/', {})).catch((error: unknown) => Failure.of(error));
  expect(failure).toMatchObject({ code });
  expect((failure as Failure).isUnauthorized).toBe(status === 401);
});
