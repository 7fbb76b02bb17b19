/**
 * The machine halts on the first fact that leaves shared memory in doubt (the kernel's
 * panic_on_oops): who finds it throws, and every other CPU throws at its next wait or operation
 * boundary. A CPU's main loop is the only place that catches it.
 */
export class Halted extends Error {
  override readonly name = 'Halted';
  constructor() {
    super('the machine has halted');
  }
}
