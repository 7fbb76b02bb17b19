/** Light or dark: as the system has it, until the button says otherwise. */

const redraws: (() => void)[] = [];

/** Draws again what has colours of its own when they change. */
export function onTheme(redraw: () => void): void {
  redraws.push(redraw);
}

export function wireTheme(): void {
  const button = document.querySelector<HTMLButtonElement>('button.theme')!;
  const system = matchMedia('(prefers-color-scheme: dark)');
  let chosen: boolean | null = null;
  const apply = (): void => {
    const isDark = chosen ?? system.matches;
    if (chosen !== null) document.documentElement.dataset['theme'] = isDark ? 'dark' : 'light';
    button.setAttribute('aria-pressed', String(isDark));
    for (const redraw of redraws) redraw();
  };
  button.hidden = false;
  button.setAttribute('aria-pressed', String(system.matches));
  button.addEventListener('click', () => {
    chosen = !(chosen ?? system.matches);
    apply();
  });
  system.addEventListener('change', apply);
}

const probe = document.createElement('span');

/** What the style's variable `name` comes to now. */
export function colour(name: string): string {
  if (!probe.isConnected) {
    probe.hidden = true;
    document.body.append(probe);
  }
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}
