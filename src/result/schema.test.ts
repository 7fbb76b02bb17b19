/** The schema reads what is written, names what is wrong, and is published as it is. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { UserError } from '#base/user-error';
import { sampleLocks } from './lock-sample.suite.ts';
import { sampleResult, sampleRun } from './sample.suite.ts';
import { parseResult, resultJsonSchema } from './schema.ts';

describe('a saved result', () => {
  test('comes back as it was', () => {
    const result = sampleResult();
    expect(parseResult(JSON.stringify(result), 'r.json')).toEqual(result);
  });

  test('comes back with lock statistics', () => {
    const result = sampleResult([sampleRun(sampleLocks())]);
    expect(parseResult(JSON.stringify(result), 'r.json')).toEqual(result);
  });

  test('may have fields that this version does not know', () => {
    const text = JSON.stringify({ ...sampleResult(), later: true });
    expect(parseResult(text, 'r.json')).toEqual(sampleResult());
  });

  const wrong: [name: string, text: string, message: RegExp][] = [
    ['is not JSON', '{ "pttorture": ', /^r\.json: not JSON: /],
    ['is of a later schema', '{ "schema": 2 }', /^r\.json: result schema 2; this version reads/],
    ['is no object', '7', /^r\.json: the document: .*expected object/],
    [
      'has text for a number',
      JSON.stringify(sampleResult()).replace('"peak":102616', '"peak":"much"'),
      /^r\.json: runs\[0\]\.vmpteKiB\.peak: .*expected number, received string$/,
    ],
    [
      'lacks a field',
      JSON.stringify(sampleResult()).replace('"tlbFlushes":25601,', ''),
      /^r\.json: runs\[0\]\.tlbFlushes: /,
    ],
    [
      'has an exit of its own making',
      JSON.stringify(sampleResult()).replace('"exit":"pass"', '"exit":"fine"'),
      /^r\.json: runs\[0\]\.exit: /,
    ],
  ];
  test.each(wrong)('that %s is refused in one line', (_name, text, message) => {
    const read = () => parseResult(text, 'r.json');
    expect(read).toThrow(UserError);
    expect(read).toThrow(message);
    expect(read).not.toThrow(/\n/);
  });
});

test('the published JSON Schema is up to date', () => {
  const file = new URL('./result.schema.json', import.meta.url);
  if (process.env['UPDATE_SCHEMAS']) {
    writeFileSync(file, `${JSON.stringify(resultJsonSchema(), null, 2)}\n`);
  }
  const hint = 'run UPDATE_SCHEMAS=1 npx vitest run src/result, then npm run format';
  expect(JSON.parse(readFileSync(file, 'utf8')), hint).toEqual(resultJsonSchema());
});
