/** Plans of databases that give them as rows, such as Memgraph. */
import { toText } from './display';
import type { Row } from './typed';

/** The columns of EXPLAIN, and of PROFILE. */
const COLUMNS = [['QUERY PLAN'], ['OPERATOR', 'ACTUAL HITS', 'RELATIVE TIME', 'ABSOLUTE TIME']];

/** Whether the rows of a result with these columns are the lines of a plan. */
export function isPlan(fields: string[]): boolean {
  return COLUMNS.some((columns) => columns.length === fields.length && columns.every((name, i) => name === fields[i]));
}

/** The lines of a plan as text: its operators, and behind them what was counted, one below the other. */
export function drawPlan(fields: string[], rows: Row[]): string {
  const lines = rows.map((row) => row.map((value) => toText(value).trimEnd()));
  // The only column of EXPLAIN says nothing that is not known.
  if (fields.length > 1) lines.unshift(fields);
  const widths = fields.map((_, i) => Math.max(0, ...lines.map((line) => line[i]?.length ?? 0)));
  const cell = (text: string, i: number) =>
    i === 0 ? text.padEnd(widths[0] ?? 0) : text.trim().padStart(widths[i] ?? 0);
  return lines.map((line) => line.map(cell).join('   ').trimEnd()).join('\n');
}
