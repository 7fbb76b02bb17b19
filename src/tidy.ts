/**
 * The house rules, as a pure function from sources to messages. `tidy.test.ts` runs it over the
 * project and plants a breach of each rule to see it found. Not part of the build.
 */

/** Path -> text of every TypeScript file below src, workers and bench, tests included. */
export type Sources = ReadonlyMap<string, string>;

const GROUND = ['base', 'arena', 'trace', 'arch'];
const WING = ['sync', 'mm', 'reclaim', 'tasks'];
const PURE = [...GROUND, ...WING, 'oracles', 'report', 'scenario', 'result'];

/** Who may import whom; `room/file` allows one file only, `type room` only its types. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  arena: ['base'],
  trace: ['base', 'arena'],
  arch: ['base', 'arena', 'trace'],
  sync: GROUND,
  mm: [...GROUND, 'sync'],
  reclaim: [...GROUND, 'sync', 'mm'],
  tasks: [...GROUND, 'sync', 'mm', 'reclaim', 'scenario'],
  result: ['base'],
  derive: [],
  catalogue: ['type derive'],
  scenario: ['base'],
  machine: [...GROUND, 'type tasks', 'scenario', 'result', 'derive'],
  explore: [
    ...['base', 'scenario', 'result', 'machine', 'trace', 'oracles', 'arena', 'derive'],
    ...['arch', ...WING].map((room) => `type ${room}`),
  ],
  oracles: ['base', 'trace', 'arena', 'arch'],
  report: ['base', 'result'],
  live: ['base', 'scenario', 'result'],
  cli: ['*'],
  workers: [...GROUND, ...WING, 'scenario', 'machine/messages', 'explore/jobs'],
  bench: [...PURE, 'derive', 'catalogue', 'machine', 'explore', 'live'],
};

const DATA_PACKAGES = ['zod', 'yaml', 'asciichart', 'uplot'];
const MAIN = ['cli', 'derive', 'live', 'report/html/page'].map((room) => `src/${room}/main.ts`);
const ENTRY = new RegExp(`^(${MAIN.join('|')}|src/tidy.ts|workers/.*|bench/.*)$|[.]d[.]ts$`);
const TEST = /\.(test|suite)\.ts$/;
const LIMITS = { columns: 100, functionLines: 70, fileLines: 400 };

/** Words that belong to some files only, looked for in code without comments and strings. */
const WORDS: readonly { word: RegExp; only: RegExp; why: string }[] = [
  {
    word: /\bAtomics\b/,
    only: /^(src\/arena|bench)\//,
    why: 'Atomics outside the arena; go through #arena/word',
  },
  {
    word: /\bMath\.random\b/,
    only: /^$/,
    why: 'Math.random; pass in a seeded Prng',
  },
  {
    word: /\bperformance\.|\bDate\.now\b|\bnew Date\(\)/,
    only: /^(src\/arena\/clock\.ts$|src\/machine\/|src\/cli\/|bench\/)/,
    why: 'a clock; use #arena/clock',
  },
  {
    word: /\bprocess\.(argv|env|exit|stdout)\b/,
    only: /^(src\/cli|bench)\//,
    why: 'the process outside the command line; pass values in and return results',
  },
  {
    word: /^\s*(export\s+)?(declare\s+)?(const\s+)?(enum|namespace)\s+\w/,
    only: /^$/,
    why: 'enum or namespace; write an `as const` object or a module',
  },
  {
    word: /(?<![\w.])512(?![\w.])/,
    only: /^(src\/scenario|bench|workers)\//,
    why: 'a literal 512; geometry is a parameter',
  },
];

interface Source {
  readonly path: string;
  readonly room: string;
  readonly text: string;
  /** Without comments. */
  readonly plain: readonly string[];
  /** Without comments and without the contents of strings. */
  readonly code: readonly string[];
}

type Finding = readonly [line: number, message: string];

/** Every breach of the house rules, as `path:line: error: …`. */
export function houseRules(sources: Sources): string[] {
  const imported = new Set<string>();
  const messages: string[] = [];
  const report = (path: string, findings: readonly Finding[]): void => {
    for (const [line, message] of findings)
      messages.push(`${path}:${line}: error: ${message} (see README, "Rooms")`);
  };
  for (const [path, text] of sources) {
    const source = readSource(path, text);
    if (!TEST.test(path))
      for (const { target } of importsOf(source)) if (target) imported.add(target);
    report(path, [...checkName(path), ...checkLines(text)]);
    if (TEST.test(path) || path.endsWith('.d.ts')) continue;
    report(path, [
      ...checkImports(source),
      ...checkWords(source),
      ...checkRawIndexing(source),
      ...checkFunctions(source),
      ...checkFile(source),
    ]);
  }
  for (const path of sources.keys())
    if (!imported.has(path) && !ENTRY.test(path) && !TEST.test(path))
      report(path, [[1, 'nobody imports this file; use it or remove it']]);
  return messages;
}

function readSource(path: string, text: string): Source {
  const [top, folder, rest] = path.split('/');
  const room = top !== 'src' ? top! : rest === undefined ? '' : folder!;
  const { plain, code } = blank(text);
  return { path, room, text, plain: plain.split('\n'), code: code.split('\n') };
}

function checkName(path: string): Finding[] {
  const found = /(?:^|[/.-])(utils?|helpers?|common|manager)[.-][^/]*$/.exec(path);
  return found ? [[1, `"${found[1]}" in a file name; say what the file is about`]] : [];
}

function checkLines(text: string): Finding[] {
  const lines = text.split('\n');
  return lines.flatMap((line, i): Finding[] =>
    [...line].length > LIMITS.columns ? [[i + 1, `longer than ${LIMITS.columns} columns`]] : [],
  );
}

interface Import {
  readonly line: number;
  readonly specifier: string;
  readonly isType: boolean;
  /** The file that it means; null for a package. */
  readonly target: string | null;
}

function importsOf({ path, plain }: Source): Import[] {
  const text = plain.join('\n');
  const found = text.matchAll(
    /^(import|export)\s+(type\s)?[^;'"]*?from\s+'([^']+)'|\bimport\s*\(?\s*'([^']+)'/gm,
  );
  return [...found].map((match) => {
    const specifier = match[3] ?? match[4]!;
    const line = text.slice(0, match.index + match[0].length).split('\n').length;
    return { line, specifier, isType: match[2] !== undefined, target: targetOf(path, specifier) };
  });
}

function targetOf(path: string, specifier: string): string | null {
  if (specifier.startsWith('#')) return `src/${specifier.slice(1)}.ts`;
  if (!specifier.startsWith('.')) return null;
  return new URL(specifier, `file:///${path}`).pathname.slice(1);
}

function checkImports(source: Source): Finding[] {
  const { room } = source;
  if (room === '') return [];
  const allowed = MAY_IMPORT[room];
  if (!allowed) return [[1, `room ${room} is not in the import table`]];
  return importsOf(source).flatMap((entry): Finding[] => {
    const message = importProblem(room, allowed, entry);
    return message === null ? [] : [[entry.line, message]];
  });
}

function importProblem(room: string, allowed: readonly string[], entry: Import): string | null {
  const { specifier, isType, target } = entry;
  if (target === null) return packageProblem(room, specifier);
  const home = room === 'workers' || room === 'bench' ? `${room}/` : `src/${room}/`;
  const isOwn = target.startsWith(home);
  if (!specifier.startsWith('#'))
    return isOwn ? null : `relative import of "${specifier}" leaves the room; write #room/file`;
  if (isOwn) return `import of "${specifier}" from its own room; write a relative path`;
  const name = specifier.slice(1);
  const other = name.split('/')[0]!;
  if (['*', other, name].some((entry) => allowed.includes(entry))) return null;
  if (isType && allowed.includes(`type ${other}`)) return null;
  return `${room} may not import ${other}`;
}

function packageProblem(room: string, specifier: string): string | null {
  if (!PURE.includes(room)) return null;
  if (specifier.startsWith('node:'))
    return `${room} may not import "${specifier}": it runs in a page`;
  const isData = ['scenario', 'result', 'report'].includes(room);
  if (isData && DATA_PACKAGES.includes(specifier.split('/')[0]!)) return null;
  return `${room} may not import the package "${specifier}"`;
}

function checkWords({ path, code }: Source): Finding[] {
  return WORDS.filter(({ only }) => !only.test(path)).flatMap(({ word, why }) =>
    code.flatMap((line, i): Finding[] => (word.test(line) ? [[i + 1, why]] : [])),
  );
}

/** `boundWords()[at]`, also through a variable. */
function checkRawIndexing({ room, code }: Source): Finding[] {
  if (room === 'arena' || room === 'oracles') return [];
  const names = [...code.join('\n').matchAll(/(\w+)\s*=\s*boundWords\(\)/g)].map(([, n]) => n);
  const indexed = new RegExp(`\\b(boundWords\\(\\)${names.map((n) => `|${n}`).join('')})!?\\[`);
  return code.flatMap((line, i): Finding[] =>
    indexed.test(line) ? [[i + 1, 'raw indexing of the arena; use #arena/word']] : [],
  );
}

const KEYWORD = /^\s*(?:if|for|while|switch|catch|return|do|else|try)\b/;
const METHOD = /^\s*(?:(?:static|async|get|set|override|private)\s+)*#?\w+(?:<.*>)?\(/;
const OPENER = /(?:\)(?::.*)?\s\{|=>\s\{|\()$/;

function opensFunction(line: string): boolean {
  if (KEYWORD.test(line) || !OPENER.test(line)) return false;
  return /\bfunction\b|=>\s\{$/.test(line) || METHOD.test(line);
}

/** Relies on the formatter: a function ends at the first `}` of its own indentation. */
function checkFunctions({ code }: Source): Finding[] {
  return code.flatMap((line, start): Finding[] => {
    if (!opensFunction(line)) return [];
    const indentation = /^\s*/.exec(line)![0];
    const closes = (at: number, bracket: string): boolean =>
      code[at]!.startsWith(indentation + bracket);
    let end = start + 1;
    if (line.endsWith('(')) {
      while (end < code.length && !closes(end, ')')) end++;
      if (!code[end]?.endsWith('{')) return [];
      end++;
    }
    while (end < code.length && !closes(end, '}')) end++;
    const lines = end - start + 1;
    const limit = LIMITS.functionLines;
    return lines > limit ? [[start + 1, `a function of ${lines} lines; ${limit} at most`]] : [];
  });
}

function checkFile({ text, code }: Source): Finding[] {
  const findings: Finding[] = [];
  if (!/^(#!.*\n)?\/\*\*/.test(text)) findings.push([1, 'a file opens with a doc comment']);
  const lines = code.length - (code.at(-1) === '' ? 1 : 0);
  if (lines > LIMITS.fileLines)
    findings.push([1, `a file of ${lines} lines; ${LIMITS.fileLines} at most`]);
  return findings;
}

const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?\*\//;
const STRING = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/;
/** A slash where a value may begin, so not a division. */
const REGEX =
  /(?<=(?:^|[(,=:[!&|?{};\n]|=>|return)\s*)\/(?![*/])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\//;
const TOKEN = new RegExp([COMMENT, STRING, REGEX, /[`{}]/].map((r) => r.source).join('|'), 'g');

/** Blanks comments, and in `code` also strings and regular expressions, keeping every position. */
export function blank(text: string): { plain: string; code: string } {
  const comments: [number, number][] = [];
  const strings: [number, number][] = [];
  // For each open template, how many braces are open in its current `${…}`.
  const templates: number[] = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    const [token] = match;
    const depth = templates.length - 1;
    if (/^\/[/*]/.test(token)) comments.push([match.index, TOKEN.lastIndex]);
    else if (token === '{' && depth >= 0) templates[depth]!++;
    else if (token === '`' || (token === '}' && depth >= 0 && templates[depth]!-- === 0)) {
      if (token === '}') templates.pop();
      const end = /(?:[^\\`$]|\\[\s\S]|\$(?!\{))*(`|\$\{|$)/y;
      end.lastIndex = TOKEN.lastIndex;
      const chunk = end.exec(text)!;
      strings.push([chunk.index, end.lastIndex - chunk[1]!.length]);
      if (chunk[1] === '${') templates.push(0);
      TOKEN.lastIndex = end.lastIndex;
    } else if (token.length > 1) strings.push([match.index + 1, TOKEN.lastIndex - 1]);
  }
  const plain = blankRanges(text, comments);
  return { plain, code: blankRanges(plain, strings) };
}

function blankRanges(text: string, ranges: readonly [number, number][]): string {
  let result = '';
  let at = 0;
  for (const [start, end] of ranges) {
    result += text.slice(at, start) + text.slice(start, end).replace(/[^\n]/g, ' ');
    at = end;
  }
  return result + text.slice(at);
}
