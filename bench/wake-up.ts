/**
 * How long one thread takes to wake another: the round trip of `Atomics.wait` and `Atomics.notify`
 * between two threads. It differs by a factor of twenty between an idle and a busy virtual machine,
 * and everything that sleeps depends on it, so it is measured beside every result.
 */
import { isMainThread, Worker, workerData } from 'node:worker_threads';

export interface WakeUp {
  /** Mean round trip of a short burst, in microseconds. */
  sampleUs(): number;
  end(): Promise<void>;
}

/** The words that the two threads share: each waits for the other's to change. */
const PING = 0;
const PONG = 16;
const SIZE_WORDS = 32;
const END = -1;
const TRIPS = 200;

export async function startWakeUp(): Promise<WakeUp> {
  const words = new Int32Array(new SharedArrayBuffer(SIZE_WORDS * 4));
  const worker = new Worker(new URL(import.meta.url), { workerData: words });
  await new Promise((resolve, reject) => {
    worker.once('online', resolve);
    worker.once('error', reject);
  });
  let count = 0;
  const trip = (): void => {
    count++;
    send(words, PING, count);
    receive(words, PONG, count - 1);
  };
  return {
    sampleUs() {
      const before = performance.now();
      for (let i = 0; i < TRIPS; i++) trip();
      return ((performance.now() - before) * 1000) / TRIPS;
    },
    async end() {
      send(words, PING, END);
      await worker.terminate();
    },
  };
}

function send(words: Int32Array, at: number, value: number): void {
  Atomics.store(words, at, value);
  Atomics.notify(words, at);
}

/** Waits until the word is no longer `seen`. */
function receive(words: Int32Array, at: number, seen: number): number {
  while (Atomics.load(words, at) === seen) Atomics.wait(words, at, seen);
  return Atomics.load(words, at);
}

function echo(words: Int32Array): void {
  for (let seen = 0; ; ) {
    const value = receive(words, PING, seen);
    if (value === END) return;
    send(words, PONG, value);
    seen = value;
  }
}

if (!isMainThread && workerData instanceof Int32Array) echo(workerData);
