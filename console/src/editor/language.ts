/** Cypher for the eye: the words as CodeMirror knows them, and what it takes for something else. */
import { StreamLanguage, type StringStream } from '@codemirror/language';
import { cypher } from '@codemirror/legacy-modes/mode/cypher';

interface Context {
  type: string;
  prev: Context | null;
}

/** Names of more than letters are in back-ticks. */
const NAME = '(?:`[^`]*`|[\\p{L}_][\\p{L}\\p{N}_]*)';
const LABEL = new RegExp(`^:\\s*!?${NAME}`, 'u');
const PROPERTY = new RegExp(`^${NAME}`, 'u');
/** A variable before its label, or a key before its value. */
const BEFORE_COLON = new RegExp(`^${NAME}(?=\\s*:)`, 'u');
const PARAMETER = new RegExp(`^\\$(?:${NAME}|\\d+)`, 'u');
const NUMBER = /^(?:0x[\da-f]+|\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?![\w])/i;
const QUOTED = /^`[^`]*`/;

function known(stream: StringStream, context: Context | null): string | null {
  let around = context;
  while (around?.type === 'pattern') around = around.prev;
  const before = stream.string.slice(0, stream.pos).trimEnd();
  if (/(^|[^.])\.$/.test(before) && stream.match(PROPERTY)) return 'propertyName';
  if (stream.match(PARAMETER)) return 'atom';
  if (stream.match(NUMBER)) return 'number';
  const isMap = around?.type === '}';
  if (stream.match(BEFORE_COLON)) return isMap ? 'propertyName' : 'variableName';
  if (isMap && stream.eat(':')) return 'punctuation';
  if (stream.match(LABEL)) return 'typeName';
  return stream.match(QUOTED) ? 'variableName' : null;
}

export const language = StreamLanguage.define({
  ...cypher,
  token(stream, state) {
    const kind = known(stream, (state as { context: Context | null }).context) ?? cypher.token(stream, state);
    // A function is called: `AS node` is a name like others.
    return kind === 'builtin' && !stream.match(/^\s*\(/, false) ? 'variableName' : kind;
  },
});
