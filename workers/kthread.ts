/**
 * Thread entry point of a kernel thread: a comlink service that sleeps between its passes without blocking its
 * event loop, so that it can be asked and adjusted while it runs.
 */
import * as Comlink from 'comlink';
import { waitAsync } from '#arena/atomics-wait';
import { CONTROL } from '#arena/layout/control';
import type { KthreadService, KthreadTask } from '#machine/messages';

/** Pause of the grace-period thread, in milliseconds. */
const GRACE_PAUSE_MS = 1;

export default async function runKthread(task: KthreadTask): Promise<void> {
  const bind: typeof import('#tasks/bind') = await import(`${task.root}tasks/bind.js`);
  const body: typeof import('#tasks/kthread') = await import(`${task.root}tasks/kthread.js`);
  const machine = bind.bindMachine(task.buffer, task.geometry, task.plan, task.spins);
  const cpu = bind.makeCpu(task.cpu, task.plan.seed);
  const words = new Int32Array(task.buffer);
  let passes = 0;
  let running = true;
  let ended: () => void = () => {};
  const end = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const wakeUp = (): void => {
    Atomics.add(words, CONTROL.kthreadWake, 1);
    Atomics.notify(words, CONTROL.kthreadWake);
  };
  const service: KthreadService = {
    passes: () => passes,
    setScan(delayMs, slots) {
      Atomics.store(words, CONTROL.scanDelay, delayMs);
      Atomics.store(words, CONTROL.scanSlots, slots);
      wakeUp();
    },
    async stop() {
      running = false;
      wakeUp();
      await end;
    },
  };
  Comlink.expose(service, task.port as unknown as Comlink.Endpoint);
  while (running) {
    const seen = Atomics.load(words, CONTROL.kthreadWake);
    body.kthreadPass(cpu, machine, task.role);
    passes++;
    const pauseMs = task.role === 'rcu' ? GRACE_PAUSE_MS : Atomics.load(words, CONTROL.scanDelay);
    // A macrotask at least, so that calls are answered even without a pause.
    await new Promise((resolve) => setImmediate(resolve));
    if (pauseMs > 0) await waitAsync(words, CONTROL.kthreadWake, seen, pauseMs);
  }
  body.kthreadEnd(cpu);
  ended();
  // The last answer leaves before the port closes.
  await new Promise((resolve) => setTimeout(resolve, 1));
  task.port.close();
}
