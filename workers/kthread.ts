/**
 * Thread entry point of a kernel thread: a comlink service that sleeps between its passes without
 * blocking its event loop, so that it can be asked and adjusted while it runs.
 */
import * as Comlink from 'comlink';
import type { KthreadService, KthreadTask } from '#machine/messages';
import { becomeMachine } from './become.ts';

export default async function runKthread(task: KthreadTask): Promise<void> {
  const { tree, machine, cpu } = await becomeMachine(task, task.cpu);
  let passes = 0;
  let running = true;
  let ended: () => void = () => {};
  const end = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const service: KthreadService = {
    passes: () => passes,
    wake: () => tree.kthreadWake(),
    async stop() {
      running = false;
      tree.kthreadWake();
      await end;
    },
  };
  Comlink.expose(service, task.port as unknown as Comlink.Endpoint);
  while (running) {
    const wakeCount = tree.kthreadWakeCount();
    tree.kthreadPass(cpu, machine, task.role);
    passes++;
    // A turn of the event loop at least, so that calls are answered even without a pause.
    await new Promise((resolve) => setImmediate(resolve));
    if (running) await tree.kthreadPause(task.role, wakeCount);
  }
  tree.kthreadEnd(cpu);
  ended();
  // The last answer leaves before the port closes.
  await new Promise((resolve) => setTimeout(resolve, 1));
  task.port.close();
}
