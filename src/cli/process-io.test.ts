/** Files appear whole or not at all, and a path that cannot be written is known beforehand. */
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UserError } from '#base/user-error';
import type { Io } from './io.ts';
import { processIo } from './process-io.ts';

let folder: string;
let io: Io;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pttorture-test-'));
  writeFileSync(join(folder, 'package.json'), '{ "version": "9.9.9" }');
  io = processIo(folder);
  rmSync(join(folder, 'package.json'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a pending file', () => {
  test('replaces the old one only when it is committed', () => {
    const path = join(folder, 'r.json');
    writeFileSync(path, 'old');
    const pending = io.openPending(path);
    expect(readFileSync(path, 'utf8')).toBe('old');
    pending.commit('new');
    pending.discard();
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(readdirSync(folder)).toEqual(['r.json']);
  });

  test('may come in pieces', () => {
    const path = join(folder, 'r.json');
    io.openPending(path).commit(['a large ', 'te', 'xt']);
    expect(readFileSync(path, 'utf8')).toBe('a large text');
  });

  test('leaves nothing behind when it is discarded', () => {
    io.openPending(join(folder, 'r.json')).discard();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('is refused where it could not be written', () => {
    writeFileSync(join(folder, 'plain'), '');
    for (const path of [join(folder, 'no', 'r.json'), join(folder, 'plain', 'r.json'), folder]) {
      expect(() => io.openPending(path)).toThrow(UserError);
      expect(() => io.openPending(path)).toThrow(`cannot write "${path}": `);
    }
    expect(readdirSync(folder)).toEqual(['plain']);
  });

  // A socket of our own stands for all devices: a mistake here must never reach a real one.
  test.skipIf(process.platform === 'win32')('does not replace what is no plain file', async () => {
    const path = join(folder, 'socket');
    const server = createServer().listen(path);
    await once(server, 'listening');
    const pending = io.openPending(path);
    expect(readdirSync(folder)).toEqual(['socket']);
    expect(() => pending.commit('lost')).toThrow(`cannot write "${path}": `);
    pending.discard();
    expect(statSync(path).isSocket()).toBe(true);
    server.close();
    await once(server, 'close');
  });
});

test('a file that is not there is named', () => {
  const path = join(folder, 'none.yaml');
  expect(() => io.readText(path)).toThrow(`cannot read "${path}": no such file or directory`);
});

test('the version is the package’s', () => expect(io.version).toBe('9.9.9'));
