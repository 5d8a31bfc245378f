/** Rows as CSV, the same that the gateway writes for `text/csv;formulas=escape`. */
import { toJson } from '../values/plain';
import type { Value } from '../values/typed';

/** Text that a spreadsheet would take for a formula. */
const FORMULA = /^[=+\-@\t\r]/;
const SPECIAL = /[",\r\n]|^ | $/;

/** The whole file: a record with the names, then one for each row. */
export function toCsv(fields: string[], rows: Value[][]): string {
  const records = [fields.map(text), ...rows.map((row) => row.map(cell))];
  return records.map((record) => `${lone(record).join(',')}\r\n`).join('');
}

function cell(value: Value): string {
  if (value.$type === 'Null') return '';
  if (value.$type === 'String') return value._value === '' ? '""' : text(value._value);
  const json = toJson(value);
  // What plain JSON writes as text has no quotes of JSON here.
  return quoted(json.startsWith('"') ? (JSON.parse(json) as string) : json);
}

function text(value: string): string {
  return FORMULA.test(value) ? `"'${value.replaceAll('"', '""')}"` : quoted(value);
}

function quoted(value: string): string {
  return SPECIAL.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

/** Readers skip empty lines, so a record of nothing but a null is not one. */
function lone(record: string[]): string[] {
  return record.length === 1 && record[0] === '' ? ['""'] : record;
}
