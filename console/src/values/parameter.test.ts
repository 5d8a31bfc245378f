import { expect, it } from 'vitest';
import { boundsOf, choicesOf, hintOf, jsonOf, typeOf } from './parameter';

it('is JSON of its type, with all digits', () => {
  expect(typeOf({ type: ['integer', 'null'] })).toBe('integer');
  expect(jsonOf({ type: 'string' }, '12')).toBe('"12"');
  expect(jsonOf({ type: 'integer' }, ' 9007199254740993 ')).toBe('9007199254740993');
  expect(jsonOf({ type: 'array' }, '["a"]')).toBe('["a"]');
});

it('is left out if nothing is written', () => {
  expect([jsonOf({ type: 'string' }, ''), jsonOf({ type: 'integer' }, ' ')]).toEqual([undefined, undefined]);
});

it('says what it takes', () => {
  expect(() => jsonOf({ type: 'integer' }, 'x')).toThrow('takes an integer, such as 10.');
  expect(() => jsonOf({ type: ['array', 'null'] }, 'a')).toThrow('takes a list, as JSON, such as ["a", "b"].');
});

it('offers the values that there are, but not null', () => {
  expect(choicesOf({ enum: ['a', 2, null] })).toEqual(['a', '2']);
  expect(choicesOf({ type: 'boolean' })).toEqual(['true', 'false']);
  expect(choicesOf({ type: 'string' })).toBeNull();
});

it('has a hint: its default, an example, or the look of its type', () => {
  expect(hintOf({ type: 'integer', default: 5, examples: [7] })).toBe('5');
  expect(hintOf({ type: 'string', examples: ['Casablanca'] })).toBe('Casablanca');
  expect(hintOf({ type: 'string', format: 'date' })).toBe('2026-02-28');
  expect(hintOf({ type: 'integer', format: 'int64' })).toBe('10');
  expect(hintOf({ type: 'string' })).toBe('');
});

it('has bounds in words', () => {
  expect(boundsOf({ minimum: 1, maximum: 5 })).toBe('1 to 5');
  expect(boundsOf({ minimum: -9223372036854775808, maximum: 10 })).toBe('at most 10');
  expect(boundsOf({ minLength: 1 })).toBe('at least 1 character');
  expect(boundsOf({})).toBe('');
});
