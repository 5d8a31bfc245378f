/** A parameter of a named query: what its JSON Schema says to people, and what people write into its field. */

export interface Parameter {
  type?: string | string[];
  format?: string;
  description?: string;
  default?: unknown;
  examples?: unknown[];
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
}

/** What a value looks like, where the schema has no example. */
const EXAMPLES: Record<string, string> = {
  date: '2026-02-28',
  time: '12:30:00+01:00',
  'date-time': '2026-02-28T12:30:00Z',
  duration: 'P1DT2H',
  integer: '10',
  number: '1.5',
  array: '["a", "b"]',
  object: '{"name": "Ada"}',
};
const NAMES: Record<string, string> = {
  string: 'a text',
  integer: 'an integer',
  number: 'a number',
  array: 'a list, as JSON',
  object: 'a map, as JSON',
};

/** The simple type of a parameter: of those that it may have, the one that is not null. */
export function typeOf(parameter: Parameter): string {
  const types = [parameter.type ?? 'string'].flat();
  return types.find((type) => type !== 'null') ?? 'string';
}

/** The values to choose from; `null` if any can be written. */
export function choicesOf(parameter: Parameter): string[] | null {
  if (parameter.enum) return parameter.enum.filter((value) => value !== null).map(written);
  return typeOf(parameter) === 'boolean' ? ['true', 'false'] : null;
}

/** What stands in an empty field: its default, or an example. */
export function hintOf(parameter: Parameter): string {
  const type = typeOf(parameter);
  const [hint] = parameter.default === undefined ? (parameter.examples ?? []) : [parameter.default];
  return hint === undefined ? (EXAMPLES[parameter.format ?? type] ?? EXAMPLES[type] ?? '') : written(hint);
}

/** The bounds in words; empty if there are none but those of the type. */
export function boundsOf({ minimum, maximum, minLength, maxLength }: Parameter): string {
  return [
    between(minimum, maximum, ''),
    between(minLength, maxLength, (maxLength ?? minLength) === 1 ? ' character' : ' characters'),
  ]
    .filter(Boolean)
    .join(', ');
}

/**
 * What was written into a field as JSON; `undefined` leaves the parameter out. Numbers keep all their digits.
 *
 * @throws Error that says what is wanted.
 */
export function jsonOf(parameter: Parameter, text: string): string | undefined {
  const type = typeOf(parameter);
  if (type === 'string') return text === '' ? undefined : JSON.stringify(text);
  if (text.trim() === '') return undefined;
  try {
    JSON.parse(text);
    return text.trim();
  } catch {
    throw new Error(`takes ${NAMES[type] ?? type}, such as ${EXAMPLES[type] ?? 'true'}.`);
  }
}

function written(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function between(from: number | undefined, to: number | undefined, unit: string): string {
  const [low, high] = [from, to].map((bound) => (Number.isSafeInteger(Math.trunc(bound ?? NaN)) ? bound : undefined));
  if (low !== undefined && high !== undefined) return `${low} to ${high}${unit}`;
  if (low !== undefined) return `at least ${low}${unit}`;
  return high === undefined ? '' : `at most ${high}${unit}`;
}
