/** The last statements, as text alone, kept by the browser. */

const KEY = 'boltgate.history';
const MOST = 100;

export class History {
  /** The latest first. */
  items = $state.raw<string[]>(read());
  /** How far back one has gone with the keyboard; -1 for the statement that is being written. */
  #at = -1;
  #draft = '';

  add(statement: string): void {
    const text = statement.trim();
    this.#at = -1;
    if (text === '') return;
    this.items = [text, ...this.items.filter((other) => other !== text)].slice(0, MOST);
    write(this.items);
  }

  clear(): void {
    this.items = [];
    this.#at = -1;
    write([]);
  }

  /** The statement before (1) or after (-1) the one shown; `null` if there is none. `current` is what the editor holds. */
  step(direction: 1 | -1, current: string): string | null {
    const at = this.#at + direction;
    if (at < -1 || at >= this.items.length) return null;
    if (this.#at === -1) this.#draft = current;
    this.#at = at;
    return at === -1 ? this.#draft : (this.items[at] ?? null);
  }
}

function read(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(kept) ? kept.filter((text) => typeof text === 'string').slice(0, MOST) : [];
  } catch {
    return [];
  }
}

function write(items: string[]): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(items));
  } catch {
    // Without storage, the history ends with the page.
  }
}
