import { describe, expect, it } from 'vitest';
import { caption, toCell, toText } from './display';
import { distinct, rowToJson, toJson } from './plain';
import { changes } from './counters';
import { drawPlan, isPlan } from './plan';
import type { GraphNode, NodeValue, RelationshipValue, Value } from './typed';

const text = (value: string): Value => ({ $type: 'String', _value: value });
const node = (id: string, labels: string[], properties: Record<string, Value>): NodeValue => ({
  $type: 'Node',
  _value: { _element_id: id, _labels: labels, _properties: properties },
});
const knows: RelationshipValue = {
  $type: 'Relationship',
  _value: { _element_id: '5', _start_node_element_id: '2', _end_node_element_id: '1', _type: 'KNOWS', _properties: {} },
};
const ada = node('1', ['Person'], { name: text('Ada'), born: { $type: 'Integer', _value: '1815' } });

describe('plain JSON', () => {
  it.each<[Value, string]>([
    [{ $type: 'Null', _value: null }, 'null'],
    [{ $type: 'Boolean', _value: false }, 'false'],
    [{ $type: 'Integer', _value: '9223372036854775807' }, '9223372036854775807'],
    [{ $type: 'Float', _value: '1.5' }, '1.5'],
    [{ $type: 'Float', _value: 'NaN' }, '"NaN"'],
    [text('a "b"\n'), '"a \\"b\\"\\n"'],
    [{ $type: 'Date', _value: '2026-02-28' }, '"2026-02-28"'],
    [{ $type: 'List', _value: [text('a'), { $type: 'Integer', _value: '1' }] }, '["a",1]'],
    [{ $type: 'Map', _value: { a: { $type: 'List', _value: [] } } }, '{"a":[]}'],
    [{ $type: 'Vector', _value: { coordinatesType: 'INT8', coordinates: ['1', '-2'] } }, '[1,-2]'],
    [ada, '{"elementId":"1","labels":["Person"],"properties":{"name":"Ada","born":1815}}'],
    [knows, '{"elementId":"5","startNodeElementId":"2","endNodeElementId":"1","type":"KNOWS","properties":{}}'],
  ])('%j is %s', (value, json) => expect(toJson(value)).toBe(json));

  it('names columns of the same name apart', () => {
    expect(distinct(['a', 'a', 'b', 'a', 'a_2'])).toEqual(['a', 'a_3', 'b', 'a_4', 'a_2']);
    expect(rowToJson(['a', 'b'], [text('x'), { $type: 'Null', _value: null }])).toBe('{"a":"x","b":null}');
  });
});

describe('text for people', () => {
  it('is what Cypher would write', () => {
    expect(toText(text('as it is'))).toBe('as it is');
    expect(toText(ada)).toBe('(:Person {name: "Ada", born: 1815})');
    const path: Value = { $type: 'Path', _value: [node('1', [], {}), knows, node('2', ['B'], {})] };
    expect(toText(path)).toBe('()<-[:KNOWS]-(:B)');
    expect(toCell(text('x'.repeat(1000)))).toHaveLength(401);
  });

  it.each<[string, GraphNode]>([
    ['Ada', ada._value],
    ['x', node('1', ['A'], { other: text('x') })._value],
    ['A', node('1', ['A'], { other: text(' ') })._value],
    ['4:1', node('4:1', [], {})._value],
    ['7', node('1', ['A'], { id: { $type: 'Integer', _value: '7' } })._value],
  ])('calls a node %s', (name, node) => expect(caption(node)).toBe(name));

  it('says what was changed', () => {
    expect(changes(undefined)).toEqual([]);
    expect(changes({ containsUpdates: true, nodesCreated: 1, propertiesSet: 2000, nodesDeleted: 0 })).toEqual([
      '1 node created',
      '2,000 properties set',
    ]);
  });
});

describe('plans as rows', () => {
  const counted = ['OPERATOR', 'ACTUAL HITS', 'RELATIVE TIME', 'ABSOLUTE TIME'];

  it('are known by their columns', () => {
    expect([['QUERY PLAN'], counted, ['QUERY PLAN', 'n'], ['OPERATOR'], []].map(isPlan)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it('have their lines and counts one below the other', () => {
    expect(drawPlan(['QUERY PLAN'], [[text(' * Produce {n}')], [text(' * Once')]])).toBe(' * Produce {n}\n * Once');
    const rows = [
      [text('* Produce {n}'), { $type: 'Integer', _value: '12' } as const, text(' 75.00 %'), text('0.3 ms')],
      [text('* Once'), { $type: 'Integer', _value: '2' } as const, text('  25.00 %'), text('0.1 ms')],
    ];
    expect(drawPlan(counted, rows).split('\n')).toEqual([
      'OPERATOR        ACTUAL HITS   RELATIVE TIME   ABSOLUTE TIME',
      '* Produce {n}            12         75.00 %          0.3 ms',
      '* Once                    2         25.00 %          0.1 ms',
    ]);
  });
});
