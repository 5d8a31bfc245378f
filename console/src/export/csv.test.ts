import { expect, it } from 'vitest';
import type { Value } from '../values/typed';
import { toCsv } from './csv';

const text = (value: string): Value => ({ $type: 'String', _value: value });
const nothing: Value = { $type: 'Null', _value: null };

it('quotes only what needs it', () => {
  expect(
    toCsv(
      ['a', 'b,c'],
      [
        [text('plain'), text('with "quotes"\n')],
        [text(' edge'), nothing],
      ],
    ),
  ).toBe('a,"b,c"\r\nplain,"with ""quotes""\n"\r\n" edge",\r\n');
});

it('tells null from the empty text, and leaves no empty line', () => {
  expect(toCsv(['a', 'b'], [[nothing, text('')]])).toBe('a,b\r\n,""\r\n');
  expect(toCsv(['a'], [[nothing]])).toBe('a\r\n""\r\n');
});

it('keeps spreadsheets from running text, and leaves numbers alone', () => {
  const minus: Value = { $type: 'Integer', _value: '-1' };
  expect(toCsv(['=x'], [[text('=1+1')], [text('@a "b"')], [minus]])).toBe(
    '"\'=x"\r\n"\'=1+1"\r\n"\'@a ""b"""\r\n-1\r\n',
  );
});

it('writes structures as JSON and times as text', () => {
  const list: Value = { $type: 'List', _value: [text('a'), { $type: 'Integer', _value: '1' }] };
  expect(
    toCsv(['l', 'd', 'n'], [[list, { $type: 'Date', _value: '2026-02-28' }, { $type: 'Float', _value: 'NaN' }]]),
  ).toBe('l,d,n\r\n"[""a"",1]",2026-02-28,NaN\r\n');
});
