/**
 * For tests: a request with everything in it, and a table of protocols with each type of option.
 */
import type { PlanRequest } from './build-plan.ts';
import type { ProtocolOptions } from './protocol-options.ts';

export const PROTOCOL_OPTIONS: ProtocolOptions = {
  none: {},
  'async-scanner': {
    delay: { type: 'duration', default: '100ms', max: '1h', summary: 'Pause between passes.' },
    size: { type: 'size', default: '256MiB', min: '2MiB', summary: 'Address space of a pass.' },
    where: {
      type: 'choice',
      default: 'task-work',
      choices: ['task-work', 'kthread'],
      summary: 'Who runs it.',
    },
  },
  'pt-reclaim': {},
};

export function requestOf(changes: Partial<PlanRequest>): PlanRequest {
  return {
    protocol: 'none',
    protocolOptions: PROTOCOL_OPTIONS,
    seed: 1,
    parameters: {},
    ...changes,
  };
}
