/** Light or dark, as the system says or as was chosen. */

const KEY = 'boltgate.theme';
const CHOICES = ['system', 'light', 'dark'] as const;
type Choice = (typeof CHOICES)[number];

export class Theme {
  choice = $state<Choice>(read());
  #system = matchMedia('(prefers-color-scheme: dark)');
  #systemIsDark = $state(this.#system.matches);
  shown = $derived<'light' | 'dark'>(this.choice === 'system' ? (this.#systemIsDark ? 'dark' : 'light') : this.choice);

  constructor() {
    this.#system.addEventListener('change', ({ matches }) => (this.#systemIsDark = matches));
  }

  next(): void {
    this.choice = CHOICES[(CHOICES.indexOf(this.choice) + 1) % CHOICES.length] ?? 'system';
    try {
      localStorage.setItem(KEY, this.choice);
    } catch {
      // Without storage, the choice ends with the page.
    }
  }
}

function read(): Choice {
  try {
    const kept = localStorage.getItem(KEY);
    return CHOICES.find((choice) => choice === kept) ?? 'system';
  } catch {
    return 'system';
  }
}
