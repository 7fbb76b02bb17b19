/** A schedule is all that a strategy decided: carried out again, it gives the same history. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { property } from '#base/property.suite';
import { UserError } from '#base/user-error';
import { formatSchedule, parseSchedule, ReplayStrategy, scheduleOf } from './schedule.ts';
import { MIX, machineFor, plan, randomly } from './small.suite.ts';

describe('a replay', async () => {
  const more = { reschedPerMillion: 200_000, allocFailPerMillion: 100_000 };
  const machine = await machineFor(null, plan('pt-reclaim', [[MIX], [MIX], [MIX]], more));

  property([fc.nat()], { numRuns: 40 })('repeats every step and choice', (seed) => {
    const { history } = machine.execute(randomly(seed), 0);
    const [steps, choices] = [history.copySteps(), history.copyChoices()];
    const text = formatSchedule(scheduleOf(history));
    machine.execute(new ReplayStrategy(parseSchedule(text)), 0);
    expect(history.copySteps()).toEqual(steps);
    expect(history.copyChoices()).toEqual(choices);
  });
});

const stretch = fc.record({ cpu: fc.nat(31), steps: fc.option(fc.nat(100_000)) });
const schedules = fc.record({
  stretches: fc.array(stretch),
  choices: fc.array(fc.nat(9)),
});

property([schedules])('what is written is read again', (schedule) => {
  expect(parseSchedule(formatSchedule(schedule))).toEqual(schedule);
});

test.each(['x', '0.', '-1', '0.1-', '0_', '0.1.2', '0.1--1.1'])('%j is no schedule', (text) => {
  expect(() => parseSchedule(text)).toThrow(UserError);
});
