/** Steps through an interleaving: one row is the present one, and beside it is how all stands. */

/** Where a button or key leads, from row `at` of `last`. */
const STEPS: Readonly<Record<string, (at: number, last: number) => number>> = {
  first: () => 0,
  back: (at) => Math.max(0, at - 1),
  next: (at, last) => Math.min(last, at + 1),
  last: (_, last) => last,
};

const KEYS: Readonly<Record<string, string>> = {
  ...{ ArrowRight: 'next', ArrowDown: 'next', ArrowLeft: 'back', ArrowUp: 'back' },
  ...{ Home: 'first', End: 'last' },
};

export function wireSteppers(): void {
  for (const root of document.querySelectorAll<HTMLElement>('[data-stepper]')) wireStepper(root);
}

function wireStepper(root: HTMLElement): void {
  const rows = [...root.querySelectorAll<HTMLElement>('[data-row]')];
  const states = [...root.querySelectorAll<HTMLElement>('[data-state]')];
  const position = root.querySelector<HTMLElement>('[data-position]');
  if (position === null) return;
  let at = 0;
  const show = (next: number): void => {
    at = next;
    for (const [i, row] of rows.entries()) {
      row.classList.toggle('future', at > 0 && i + 1 > at);
      if (i + 1 === at) row.setAttribute('aria-current', 'step');
      else row.removeAttribute('aria-current');
    }
    for (const [i, state] of states.entries()) state.hidden = i !== at;
    position.textContent =
      at === 0 ? `Before row 1 of ${rows.length}` : `Row ${at} of ${rows.length}`;
    rows[at - 1]?.scrollIntoView({ block: 'nearest' });
  };
  root.querySelector<HTMLElement>('.controls')!.hidden = false;
  for (const button of root.querySelectorAll<HTMLElement>('button[data-step]'))
    button.addEventListener('click', () => show(STEPS[button.dataset['step']!]!(at, rows.length)));
  for (const button of root.querySelectorAll<HTMLElement>('button[data-go]'))
    button.addEventListener('click', () => show(Number(button.dataset['go'])));
  root.addEventListener('keydown', (event) => {
    const step = event.altKey || event.ctrlKey || event.metaKey ? undefined : KEYS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    show(STEPS[step]!(at, rows.length));
  });
  show(0);
}
