/**
 * What a thread needs in addition where it takes its steps in a recorded order. The free-running
 * form is made of `entry.ts` alone, and its clock and its gate stay constants.
 */
export { setClock } from '#arena/clock';
export { EnforcedGate } from '#arena/enforced';
export { cpuEnforced } from './cpu-main.ts';
export * from './entry.ts';
