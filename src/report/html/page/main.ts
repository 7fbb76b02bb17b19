/**
 * The script of a report's page. The page is whole without it; it draws the plots and maps, and
 * lets the reader step, choose a time, copy a command and turn the lights off.
 */
import type { PageData } from '../data.ts';
import { wireCopying } from './copy.ts';
import { wireOccupancies } from './occupancy.ts';
import { wirePlots } from './plot.ts';
import { wireSteppers } from './stepper.ts';
import { wireTheme } from './theme.ts';
import { wireTimelines } from './timeline.ts';
import { wireWindows } from './window.ts';

const source = document.getElementById('data')?.textContent;
wireTheme();
wireCopying();
wireSteppers();
if (source) {
  const data: PageData = JSON.parse(source);
  wirePlots(data);
  wireOccupancies(data);
  wireTimelines(data);
  wireWindows(data);
}
openLinked();
addEventListener('hashchange', openLinked);
document.documentElement.dataset['ready'] = 'yes';

/** A link to a run that is folded up unfolds it. */
function openLinked(): void {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
}
