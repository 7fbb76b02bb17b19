/** Names that a person may choose from, and what to say when the name is not one of them. */
import { UserError } from '#base/user-error';

/**
 * `name`, when it is one of `choices`; else a `UserError` that offers the nearest and lists all.
 */
export function choose<T extends string>(what: string, name: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === name);
  if (found !== undefined) return found;
  throw unknownName(what, name, choices);
}

/** The complaint about a name that does not exist; `more` ends it, where there is more to say. */
export function unknownName(
  what: string,
  name: string,
  choices: readonly string[],
  more = '',
): UserError {
  const near = nearest(name, choices);
  const hint = near === null ? '' : ` did you mean "${near}"?`;
  const list = choices.length === 0 ? ' there is none' : ` choose from ${offered(choices)}`;
  return new UserError(`unknown ${what} "${name}";${hint}${list}${more}`);
}

/** All of them, or where they are too many for a line, some. */
function offered(choices: readonly string[]): string {
  if (choices.length <= OFFERED_MAX) return choices.join(', ');
  const first = choices.slice(0, OFFERED_MAX).join(', ');
  return `${first} and ${choices.length - OFFERED_MAX} more (see list)`;
}

const OFFERED_MAX = 24;

/** The choice that `name` was probably meant to be, or null. */
export function nearest(name: string, choices: readonly string[]): string | null {
  let best: string | null = null;
  let bestDistance = Math.floor(Math.max(name.length, 3) / 3) + 1;
  for (const choice of choices) {
    const distance = editDistance(name.toLowerCase(), choice.toLowerCase());
    if (distance < bestDistance) {
      best = choice;
      bestDistance = distance;
    }
  }
  return best;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [];
  for (let i = 0; i <= a.length; i++) {
    rows.push([i]);
    for (let j = 1; j <= b.length; j++) {
      if (i === 0) {
        rows[0][j] = j;
        continue;
      }
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, rows[i - 2][j - 2] + 1);
      }
      rows[i][j] = least;
    }
  }
  return rows[a.length][b.length];
}
