/**
 * What a thread needs from whichever build of the tested wing it is told to run: one module, one
 * import.
 */
export { setGate } from '#arena/gate';
export { NoisyGate } from '#arena/noise';
export { bootAlone, doAlone } from './alone.ts';
export { bindMachine, makeCpu } from './bind.ts';
export { cpuExit, cpuMain } from './cpu-main.ts';
export {
  kthreadEnd,
  kthreadPass,
  kthreadPause,
  kthreadWake,
  kthreadWakeCount,
} from './kthread.ts';
