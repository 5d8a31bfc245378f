import { CompletionContext } from '@codemirror/autocomplete';
import { EditorState } from '@codemirror/state';
import { describe, expect, it } from 'vitest';
import { complete, quoted } from './completion';
import { language } from './language';
import { position } from './position';

describe('the place of an error', () => {
  const at = (message: string, statement: string) => {
    const place = position(message, statement);
    return place && statement.slice(place.from, place.to);
  };

  it.each([
    ['Variable `foo` not defined (line 1, column 8 (offset: 7))\n"RETURN foo"\n        ^', 'RETURN foo', 'foo'],
    ['Invalid input (line 2, column 3 (offset: 9))', 'MATCH\n  (n RETRUN n', '('],
    ['Error on line 2 position 3. The underlying parsing error is mismatched input', 'MATCH\n  (n RETRUN n', '('],
    ['Error on line 1:7 position. Message: mismatched input', 'MATCH n', 'n'],
    ['Unexpected end (line 1, column 9 (offset: 8))', 'MATCH (n', 'n'],
    ['/ by zero', 'RETURN 1/0', null],
    ['(line 9, column 9)', 'x', 'x'],
  ])('%s', (message, statement, word) => expect(at(message, statement)).toBe(word));
});

describe('proposals', () => {
  const names = {
    labels: ['Person', 'Odd name'],
    types: ['KNOWS'],
    keys: ['name'],
    functions: ['toUpper', 'apoc.x'],
    procedures: ['db.labels'],
  };
  const proposed = (text: string) => {
    const context = new CompletionContext(EditorState.create({ doc: text }), text.length, false);
    const result = complete(() => names)(context);
    const options = [...(result?.options ?? [])].sort((a, b) => (b.boost ?? 0) - (a.boost ?? 0));
    return { rest: result && text.slice(result.from), names: options.map(({ label }) => label) };
  };

  it('are labels in round brackets, and types in square ones', () => {
    expect(proposed('MATCH (n:Pe')).toEqual({ rest: 'Pe', names: ['Person', 'Odd name', 'KNOWS'] });
    expect(proposed('MATCH (n)-[r:').names[0]).toBe('KNOWS');
    expect(proposed('MATCH (n:A|').names[0]).toBe('Person');
  });

  it('are property keys after a dot', () => expect(proposed('RETURN n.na')).toEqual({ rest: 'na', names: ['name'] }));
  it('are procedures after CALL', () => expect(proposed('CALL db.la').names).toContain('db.labels'));

  it('are words, functions and keys elsewhere', () => {
    const { names } = proposed('ma');
    expect(names[0]).toBe('MATCH');
    expect(names).toContain('toUpper');
    expect(names).not.toContain('apoc.x');
  });

  it('have quotes where Cypher wants them', () => {
    expect([quoted('Person'), quoted('Odd name'), quoted('a`b')]).toEqual(['Person', '`Odd name`', '`a``b`']);
  });
});

describe('the colours of a statement', () => {
  const kinds = (statement: string) => {
    const found: string[] = [];
    const tree = language.parser.parse(statement);
    tree.iterate({
      enter: ({ name, from, to }) => void (name !== 'Document' && found.push(`${statement.slice(from, to)} ${name}`)),
    });
    return found;
  };

  it.each([
    ['(name:Person)', ['name variableName', ':Person typeName']],
    ['-[:`is in`*1..3]->', [':`is in` typeName', '1 number', '3 number']],
    ['{name: $name, n: 1.5e3}', ['name propertyName', '$name atom', 'n propertyName', '1.5e3 number']],
    [
      'RETURN person.name, count(*)',
      ['RETURN keyword', 'person variableName', 'name propertyName', 'count variableName.standard'],
    ],
    ['type(r) AS type', ['type variableName.standard', 'r variableName', 'AS keyword', 'type variableName']],
    ['MATCH `a b`', ['MATCH keyword', '`a b` variableName']],
  ])('%s', (statement, expected) => {
    expect(kinds(statement).filter((kind) => !kind.endsWith(' punctuation'))).toEqual(expected);
  });
});
