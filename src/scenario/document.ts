/**
 * A YAML file as a plain value that remembers where everything stood, so that a complaint about
 * `columns.0.do.1.touch` can begin with `file:line:column`.
 */
import { isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import { UserError } from '#base/user-error';

/** A text and the name under which complaints cite it. */
export interface SourceText {
  readonly path: string;
  readonly text: string;
}

/** Where in the value: keys and list indices from the root. */
export type Path = readonly (string | number)[];

export interface Problem {
  readonly path: Path;
  readonly message: string;
  /** The key itself is wrong, not what it stands for. */
  readonly atKey?: boolean;
}

export interface SourceDocument {
  /** The file as plain data. */
  readonly value: unknown;
  /** One line per problem, in the order of the file. */
  complain(problems: readonly Problem[]): UserError;
}

/** Reads YAML; throws a `UserError` with one line per syntax error or duplicate key. */
export function parseSource(source: SourceText): SourceDocument {
  const lines = new LineCounter();
  const document = parseDocument(source.text, { lineCounter: lines, prettyErrors: false });
  const cite = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${source.path}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  };

  if (document.errors.length > 0) {
    const complaints = document.errors.map((error) => {
      const message = error.message.replaceAll(/\s*\n\s*/g, ' ');
      return `${cite(error.pos[0])}: not valid YAML: ${message}`;
    });
    throw new UserError(complaints.join('\n'));
  }

  const offsetOf = ({ path, atKey }: Problem): number => {
    if (atKey) {
      const map = document.getIn(path.slice(0, -1), true);
      const pair = isMap(map) && map.items.find((item) => keyText(item.key) === path.at(-1));
      if (pair && isNode(pair.key) && pair.key.range) return pair.key.range[0];
    }
    for (let length = path.length; length >= 0; length--) {
      const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return node.range[0];
    }
    return 0;
  };

  return {
    value: document.toJS(),
    complain(problems) {
      const placed = problems.map((problem) => ({ problem, offset: offsetOf(problem) }));
      placed.sort((a, b) => a.offset - b.offset);
      const complaints = placed.map(({ problem, offset }) => {
        const where = problem.path.length > 0 ? `${problem.path.join('.')}: ` : '';
        return `${cite(offset)}: ${where}${problem.message}`;
      });
      return new UserError([...new Set(complaints)].join('\n'));
    },
  };
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : '';
}
