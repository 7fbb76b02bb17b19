/**
 * Wrong input: one lower-case line that names the thing and the way out, exit 2, and nothing ran.
 */
import { describe, expect, test } from 'vitest';
import { EXIT } from './exit-code.ts';
import { say } from './fake.suite.ts';

const FILES = {
  'broken.yaml': 'question: q\nsource: s\ncolums: []\n',
  'bad.json': '{ "schema": 9 }',
  'half.yaml': 'question: [\n',
  'red.json': '\u001b[31m\n',
  'result.json': '{ "pttorture": "0.1.0", "runs": [] }',
};

const wrong: [words: string, message: RegExp][] = [
  [
    '',
    /^no command given; choose from run, explore, profile, replay, list, report, record, start,/,
  ],
  ['rum churn', /^unknown command "rum"; did you mean run\?/],
  ['run', /^no scenario given; /],
  [
    'run chrun',
    /^unknown scenario "chrun"; did you mean "churn"\? choose from allocator-loop, churn/,
  ],
  ['run litmus/chrun', /^unknown scenario "litmus\/chrun"; choose from allocator-loop, churn/],
  ['run litmus/mine.yaml', /^cannot read "litmus\/mine.yaml"/],
  ['run churn extra', /^too many arguments for "run"; 1 expected, 2 given$/],
  ['run churn --protocl none', /^unknown option "--protocl"; did you mean --protocol\?/],
  ['run churn --protocol pt-relaim', /^unknown protocol "pt-relaim"; did you mean "pt-reclaim"\?/],
  ['run churn --protocol none,', /^unknown protocol ""; .*choose from none, async-scanner/],
  [
    'run churn --broken no-rechek',
    /^unknown broken version "no-rechek"; did you mean "no-recheck"/,
  ],
  ['run churn --cpus x', /^--cpus "x" is not a whole number; allowed: 1 or more$/],
  ['run churn --cpus -1', /^--cpus -1 is out of range; allowed: 1 or more$/],
  ['run churn --cpus 0', /^--cpus 0 is out of range/],
  ['run churn --cpus 1.5', /^--cpus "1.5" is not a whole number/],
  ['run churn --cpus 65', /^--cpus.*64/],
  ['run churn --cpus', /^option "--cpus <n>" argument missing/],
  ['run churn --seed 4294967296', /^--seed 4294967296 is out of range; allowed: 0 to 4294967295$/],
  ['run churn --noise 101', /^--noise 101 is out of range; allowed: 0 to 100$/],
  ['run churn --duration 10', /^--duration: .*has no unit/],
  ['run churn --duration 0s', /^--duration 0s is out of range/],
  ['run churn --duration 1s --ops 5', /^--duration and --ops exclude each other/],
  ['run churn --deadline soon', /^--deadline: .*"soon"/],
  ['run churn -p size=8', /size.*has no unit/],
  ['run churn -p sise=8MiB', /sise.*size/],
  ['run churn -p size', /^-p "size" is not NAME=VALUE/],
  ['run churn -p size=8MiB -p size=9MiB', /^-p size is given twice$/],
  ['run churn -p async-scanner.dely=1ms', /dely.*delay/],
  ['run churn --lock ptl', /^--lock "ptl" is not CLASS=ALGORITHM/],
  ['run churn --lock plt=mcs', /^unknown lock class "plt"; did you mean "ptl"\?/],
  ['run churn --lock ptl=msc', /^unknown lock algorithm "msc"; did you mean "mcs"\?/],
  [
    'run churn --alloc-fail 1000001',
    /^--alloc-fail 1000001 is out of range; allowed: 0 to 1000000$/,
  ],
  [
    'run churn --table-free later',
    /^unknown way to free a table "later"; choose from rcu, ipi, sync, now$/,
  ],
  [
    'run churn --walkers posted',
    /^unknown form of walkers "posted"; choose from fixed, as-posted$/,
  ],
  [
    'run churn --pwc some',
    /^unknown part of the paging-structure cache "some"; choose from all, range$/,
  ],
  ['run churn --shootdown none', /^unknown way to flush "none"; choose from ipi, broadcast$/],
  ['run churn --rcu epoch', /^unknown RCU form "epoch"; choose from qsbr, announced$/],
  ['validate chrun', /^unknown scenario "chrun"; did you mean "churn"\?/],
  ['validate churn --random 3', /^--random makes its own plans; give a scenario or --random$/],
  [
    'validate --random 3 --threads',
    /^--random makes plans of one thread, .*; leave out --threads$/,
  ],
  ['validate --random 3 --cpus 2', /; leave out --cpus$/],
  ['validate --random 3 --ops 2', /without loops or parameters; leave out --ops$/],
  ['validate --random 3 -p size=1GiB', /; leave out --parameter$/],
  ['validate churn --operations 9', /^--operations is of plans made at random; give --random$/],
  ['validate --save d.yaml', /^--save is of plans made at random; give --random$/],
  ['validate --threads --every 2', /^--threads compares once all is quiet; leave out --every$/],
  ['validate --every 0', /^--every 0 is out of range; allowed: 1 or more$/],
  ['validate --format html', /^unknown format "html"; choose from text, markdown$/],
  ['validate churn --json /nowhere/v.json', /^cannot write "\/nowhere\/v.json"/],
  ['run churn --json /nowhere/r.json', /^cannot write "\/nowhere\/r.json"/],
  ['run churn --trace t.json', /^--trace tells of one run, and 3 protocols are 3 runs; choose one/],
  ['run churn --trace t.json --protocol none --rounds 3', /one run; leave out --rounds 3$/],
  ['run churn --trace - --protocol none', /^--trace writes a file; stdout is for --json$/],
  ['run churn --trace /nowhere/t.json --protocol none', /^cannot write "\/nowhere\/t.json"/],
  ['run churn --trace t --json t --protocol none', /^--trace and --json name the same file "t"/],
  ['run churn --trace t --html t --protocol none', /^--trace and --html name the same file "t"/],
  ['run churn --trace-events 5', /^--trace-events is the size of a trace; give --trace FILE/],
  ['run churn --trace-events 0', /^--trace-events 0 is out of range; allowed: 1 to 1000000$/],
  ['run missing.yaml', /^cannot read "missing.yaml"/],
  ['run broken.yaml', /^broken\.yaml:\d+:\d+: /],
  ['run half.yaml', /^half\.yaml:\d+:\d+: not valid YAML/],
  ['list lockz', /^unknown topic "lockz"; did you mean "locks"\?/],
  ['report', /^missing required argument "result"/],
  ['report missing.json', /^cannot read "missing.json"/],
  ['report red.json', /^red\.json: not JSON: .*"\\x1b\[31m " is not valid JSON$/],
  ['replay result.json', /^result\.json: kind of document "result"; expected "exploration"$/],
  ['replay pt1:a:b:::::c --violation 2', /^--violation chooses from a document; a replay word/],
  ['validate --random 3 --save /nowhere/d.yaml', /^cannot write "\/nowhere\/d.yaml"/],
  ['report bad.json', /^bad\.json: result schema 9/],
];

describe('pttorture', () => {
  test.each(wrong)('%s', async (line, message) => {
    const words = line === '' ? [] : line.split(' ');
    const spoken = await say(words, { files: FILES });
    expect(spoken.stderr.trimEnd()).toMatch(message);
    expect(spoken.stderr).toMatch(/^[^A-Z\n][^\n]*\n$/);
    expect(spoken.code).toBe(EXIT.wrong);
    expect(spoken.stdout).toBe('');
    expect(spoken.plans).toEqual([]);
    expect([...spoken.files.keys()]).toEqual([]);
  });
});
