/** One colour for each label, the same in light and dark: all have a contrast of at least 3:1 against both papers. */

export const COLOURS = [
  '#0f8f7c',
  '#c8632f',
  '#5a7bd8',
  '#a9791f',
  '#9a66cf',
  '#5b8f35',
  '#c4527f',
  '#2f8bb0',
  '#c9504b',
  '#7d7f46',
  '#6f8296',
  '#a2688f',
] as const;

/** What has no label, or is only known to exist. */
export const UNKNOWN = '#7f8490';

const known = new Map<string, string>();

/** The colour of a label, from its first appearance to the end of the page. */
export function colour(label: string | undefined): string {
  if (label === undefined) return UNKNOWN;
  const kept = known.get(label);
  if (kept) return kept;
  const next = COLOURS[known.size % COLOURS.length] ?? UNKNOWN;
  known.set(label, next);
  return next;
}
