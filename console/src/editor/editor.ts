/** The editor, in a shadow root: there its styles are sheets of the root, where a style element would be refused. */
import {
  acceptCompletion,
  autocompletion,
  closeBrackets,
  closeCompletion,
  completionKeymap,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { bracketMatching, syntaxHighlighting } from '@codemirror/language';
import { EditorState, Prec, StateEffect, StateField } from '@codemirror/state';
import { Decoration, EditorView, drawSelection, keymap, placeholder, type DecorationSet } from '@codemirror/view';
import { complete, type Names } from './completion';
import { language } from './language';
import type { Position } from './position';
import { highlighting, theme } from './theme';

interface Hooks {
  changed: (text: string) => void;
  run: () => void;
  step: (direction: 1 | -1) => void;
  names: () => Names;
}

const mark = StateEffect.define<Position | null>();
const underline = Decoration.mark({ class: 'cm-mistake' });

const mistakes = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    let now = transaction.docChanged ? Decoration.none : marks;
    for (const effect of transaction.effects) {
      if (!effect.is(mark)) continue;
      const { value } = effect;
      const fits = value && value.from < value.to && value.to <= transaction.state.doc.length;
      now = fits ? Decoration.set(underline.range(value.from, value.to)) : Decoration.none;
    }
    return now;
  },
  provide: (field) => EditorView.decorations.from(field),
});

/** What is selected in the editor, according to the browser; `null` if that is nothing. */
function selectionIn(view: EditorView): Position | null {
  // Chromium has one for each shadow root; elsewhere, the document's reaches into them.
  const root = view.root as { getSelection?: () => Selection | null };
  const { anchorNode, anchorOffset, focusNode, focusOffset, isCollapsed } =
    root.getSelection?.() ?? document.getSelection() ?? {};
  if (!anchorNode || !focusNode || isCollapsed || !view.contentDOM.contains(anchorNode)) return null;
  const ends = [view.posAtDOM(anchorNode, anchorOffset), view.posAtDOM(focusNode, focusOffset)] as const;
  return { from: Math.min(...ends), to: Math.max(...ends) };
}

/**
 * Text that replaces a selection goes in as text. Chromium would give it the style of what was selected, by an attribute
 * that the page's policy refuses.
 */
const replacing = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { inputType, data, isComposing } = event;
    // The editor may not have heard yet of what is selected.
    const selection = selectionIn(view);
    if (inputType !== 'insertText' || data === null || isComposing || !selection) return false;
    const { from, to } = selection;
    event.preventDefault();
    view.dispatch({
      changes: { from, to, insert: view.state.toText(data) },
      selection: { anchor: from + data.replaceAll('\r\n', '\n').length },
      scrollIntoView: true,
      userEvent: 'input.type',
    });
    return true;
  },
});

/** Makes an editor in `host`. */
export function createEditor(host: HTMLElement, text: string, hooks: Hooks): EditorView {
  const root = host.attachShadow({ mode: 'open', delegatesFocus: true });
  const command = (action: () => void) => () => {
    action();
    return true;
  };
  const keys = Prec.highest(
    keymap.of([
      { key: 'Mod-Enter', run: command(hooks.run) },
      { key: 'Mod-ArrowUp', run: command(() => hooks.step(1)) },
      { key: 'Mod-ArrowDown', run: command(() => hooks.step(-1)) },
    ]),
  );
  const extensions = [
    keys,
    history(),
    drawSelection(),
    bracketMatching(),
    closeBrackets(),
    language,
    syntaxHighlighting(highlighting),
    autocompletion({ override: [complete(hooks.names)], icons: false }),
    // Tab leaves the editor, so that nobody is caught in it.
    keymap.of([...completionKeymap, { key: 'Enter', run: acceptCompletion }, ...historyKeymap, ...defaultKeymap]),
    placeholder('MATCH (n) RETURN n LIMIT 25'),
    EditorView.lineWrapping,
    EditorView.contentAttributes.of({
      'aria-label': 'Cypher statement',
      autocapitalize: 'off',
      autocorrect: 'off',
      spellcheck: 'false',
    }),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) hooks.changed(update.state.doc.toString());
    }),
    replacing,
    mistakes,
    theme,
  ];
  return new EditorView({ state: EditorState.create({ doc: text, extensions }), parent: root, root });
}

/** Replaces the whole text, as one step that can be undone. */
export function setText(view: EditorView, text: string): void {
  const { doc } = view.state;
  if (doc.toString() === text) return;
  view.dispatch({ changes: { from: 0, to: doc.length, insert: text }, selection: { anchor: text.length } });
}

/** Inserts a text where the cursor is. */
export function insert(view: EditorView, text: string): void {
  view.dispatch(view.state.replaceSelection(text));
  view.focus();
}

/** What was proposed is no longer wanted, since the statement runs. */
export { closeCompletion as closeProposals };

/** Underlines what an error is about. */
export function setMark(view: EditorView, place: Position | null): void {
  view.dispatch({ effects: mark.of(place) });
}
