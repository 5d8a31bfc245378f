/** Where in a statement an error is, as far as its message says so. */

export interface Position {
  from: number;
  to: number;
}

const PLACES = [
  /\(line (\d+), column (\d+)/i,
  /line (\d+) position (\d+)/i,
  /line (\d+):(\d+)/i,
  /line (\d+), column (\d+)/i,
];

/** The word at the place that a message names; `null` if it names none. Lines and columns count from 1. */
export function position(message: string, statement: string): Position | null {
  const found = PLACES.map((place) => place.exec(message)).find((match) => match !== null);
  if (!found) return null;
  const lines = statement.split('\n');
  const line = Math.min(Number(found[1]), lines.length) - 1;
  const before = lines.slice(0, line).reduce((length, text) => length + text.length + 1, 0);
  const from = Math.min(before + Number(found[2]) - 1, statement.length);
  const word = /^(\w+|\S)/.exec(statement.slice(from))?.[0] ?? '';
  // Something must be visible at the end, too.
  return word === '' ? { from: Math.max(0, from - 1), to: from } : { from, to: from + word.length };
}
