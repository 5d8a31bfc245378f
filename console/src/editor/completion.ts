/** What the editor proposes: the names of the schema where they can stand, and the words of the language elsewhere. */
import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete';

export interface Names {
  labels: string[];
  types: string[];
  keys: string[];
  functions: string[];
  procedures: string[];
}

const KEYWORDS =
  'MATCH|OPTIONAL MATCH|WHERE|RETURN|WITH|UNWIND|CREATE|MERGE|SET|DELETE|DETACH DELETE|REMOVE|ORDER BY|SKIP|LIMIT|CALL|YIELD|UNION|UNION ALL|DISTINCT|AS|AND|OR|XOR|NOT|IN|IS NULL|IS NOT NULL|STARTS WITH|ENDS WITH|CONTAINS|CASE|WHEN|THEN|ELSE|END|ON CREATE SET|ON MATCH SET|FOREACH|EXISTS|EXPLAIN|PROFILE|ASC|DESC|TRUE|FALSE|NULL|SHOW'.split(
    '|',
  );

/** Where the schema names no functions. */
const FUNCTIONS =
  'abs|avg|ceil|coalesce|collect|count|date|datetime|duration|elementId|exp|floor|head|id|keys|labels|last|length|log|max|min|nodes|point|properties|rand|range|reduce|relationships|replace|reverse|round|size|split|sqrt|startNode|endNode|substring|sum|tail|time|toFloat|toInteger|toLower|toString|toUpper|trim|type'.split(
    '|',
  );

/** Names that need no quotes. */
const PLAIN = /^[\p{L}_][\p{L}\p{N}_]*$/u;

/** A name as Cypher writes it. */
export function quoted(name: string): string {
  return PLAIN.test(name) ? name : `\`${name.replaceAll('`', '``')}\``;
}

/** The proposals at a place. `names` are those of the live schema. */
export function complete(names: () => Names): (context: CompletionContext) => CompletionResult | null {
  return (context) => {
    const { labels, types, keys, functions, procedures } = names();
    const after = (pattern: RegExp) => context.matchBefore(pattern);
    const name = after(/[:|&]!?\s*`?[\p{L}\p{N}_]*$/u);
    if (name) {
      const from = name.from + (/^[:|&]!?\s*/.exec(name.text)?.[0].length ?? 1);
      return { from, options: namesAfterColon(context, labels, types), validFor: /^`?[\p{L}\p{N}_]*$/u };
    }
    const key = after(/[\p{L}\p{N}_)\]]\.[\p{L}\p{N}_]*$/u) ?? after(/[{,]\s*[\p{L}_][\p{L}\p{N}_]*$/u);
    if (key) {
      const from = context.pos - (/[\p{L}\p{N}_]*$/u.exec(key.text)?.[0].length ?? 0);
      const called = after(/CALL\s+[\w.]*$/i) ? procedures.map(proposal('function')) : [];
      return { from, options: [...keys.map(proposal('property')), ...called], validFor: /^[\p{L}\p{N}_]*$/u };
    }
    const procedure = after(/CALL\s+[\w.]*$/i);
    if (procedure && procedures.length > 0) {
      const from = context.pos - (/[\w.]*$/.exec(procedure.text)?.[0].length ?? 0);
      return { from, options: procedures.map(proposal('function')), validFor: /^[\w.]*$/ };
    }
    const word = after(/[\p{L}_][\p{L}\p{N}_]*$/u);
    if (!word && !context.explicit) return null;
    const known = functions.length > 0 ? functions.filter((known) => !known.includes('.')) : FUNCTIONS;
    const options = [
      ...KEYWORDS.map((label): Completion => ({ label, type: 'keyword', boost: 2 })),
      ...known.map((label): Completion => ({ label, apply: `${label}(`, type: 'function' })),
      ...keys.map(proposal('property')).map((option) => ({ ...option, boost: -2 })),
    ];
    return { from: word?.from ?? context.pos, options, validFor: /^[\p{L}\p{N}_]*$/u };
  };
}

/** Labels in round brackets, types in square ones; the others last. */
function namesAfterColon(context: CompletionContext, labels: string[], types: string[]): Completion[] {
  const before = context.state.sliceDoc(Math.max(0, context.pos - 400), context.pos);
  const isType = before.lastIndexOf('[') > Math.max(before.lastIndexOf('('), before.lastIndexOf(']'));
  const ranked = (names: string[], type: string, first: boolean) =>
    names.map((name) => ({ ...proposal(type)(name), boost: first ? 1 : -1 }));
  return [...ranked(labels, 'class', !isType), ...ranked(types, 'type', isType)];
}

function proposal(type: string): (name: string) => Completion {
  return (name) => ({ label: name, apply: quoted(name), type });
}
