/** The page in a browser: it draws, steps, goes dark, and needs neither a network nor a mouse. */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sampleExploration } from '#result/exploration.suite';
import { sampleLocks } from '#result/lock-sample.suite';
import type { Occupancy } from '#result/occupancy';
import type { Run } from '#result/result';
import { sampleOccupancy, sampleResult, sampleRun, sampleTimeline } from '#result/sample.suite';
import type { PagedDocument } from '#result/saved';
import type { TimelineSample } from '#result/timeline';
import { htmlReport } from './report.ts';

const FLAGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update'],
];
const PROTOCOLS = 8;
const BYTES_MAX = 5 * 2 ** 20;
const READY_MS_MAX = 2000;

const executablePath = browserPath();

describe.skipIf(executablePath === null)(
  executablePath === null ? 'in a browser: SKIPPED, none is installed' : 'in a browser',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'pttorture-page-'));
    let browser: Browser;
    let page: Page;
    /** What the page asked of the network, and what it complained of. */
    let asked: string[] = [];
    let said: string[] = [];

    beforeAll(async () => {
      browser = await chromium.launch({ executablePath: executablePath!, args: FLAGS });
      page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
      page.on('request', (request) => asked.push(request.url()));
      page.on('console', (message) => said.push(message.text()));
      page.on('pageerror', (error) => said.push(error.message));
    });
    afterAll(async () => {
      await browser?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    /** Opens the report of `document` from disk, ready to be used. */
    async function open(document: PagedDocument): Promise<string> {
      const text = pageOf(document);
      const file = join(folder, 'report.html');
      writeFileSync(file, text);
      [asked, said] = [[], []];
      await page.setViewportSize({ width: 1200, height: 900 });
      await page.goto(pathToFileURL(file).href);
      await page.waitForSelector('html[data-ready]', { state: 'attached' });
      return text;
    }

    async function pictureOf(selector: string): Promise<string> {
      // A drawing follows its size, which is told in the next frame.
      await page.evaluate(FRAMES);
      const canvas = page.locator(`${selector} canvas`).first();
      return canvas.evaluate((each) => (each as unknown as Drawn).toDataURL());
    }

    test.each([
      ['a result', sampleResult([fullRun('none'), fullRun('pt-reclaim')])],
      ['an exploration', sampleExploration()],
    ])('%s needs no network, and has nothing to complain of', async (_, document) => {
      await open(document);
      await page.evaluate(FRAMES);
      expect(asked).toEqual([page.url()]);
      expect(said).toEqual([]);
    });

    test('nothing else can run: a script that is put in is refused', async () => {
      await open(sampleResult());
      const ran = await page.evaluate(`
        const script = document.createElement('script');
        script.textContent = 'document.title = "ran"';
        document.body.append(script);
        document.title`);
      expect(ran).toBe('churn: pttorture');
    });

    test('the slider changes picture and words, by the keyboard alone', async () => {
      await open(sampleResult([fullRun()]));
      const output = page.locator('[data-occupancy] output');
      const before = await pictureOf('[data-occupancy]');
      expect(await output.textContent()).toContain('4.00 s: 2 live, 2 empty, 4 unhooked');
      await page.locator('[data-occupancy] input').focus();
      await page.keyboard.press('ArrowLeft');
      expect(await output.textContent()).toBe('2.00 s: 4 live, 1 empty, 0 unhooked');
      expect(await pictureOf('[data-occupancy]')).not.toBe(before);
      await page.keyboard.press('ArrowRight');
      expect(await pictureOf('[data-occupancy]')).toBe(before);
    });

    test('what is under the pointer is told', async () => {
      await open(sampleResult([fullRun()]));
      const tell = async (selector: string, x: number, y: number): Promise<string | null> => {
        await page
          .locator(`${selector} :is(.drawing > canvas, .u-over)`)
          .hover({ position: { x, y } });
        return page.locator(`${selector} .readout`).textContent();
      };
      expect(await tell('[data-occupancy]', 5, 200)).toBe(
        'heap, 2 places from 0x40000000, at 4.00 s: 1 live, 1 empty, 0 unhooked',
      );
      expect(await tell('[data-timeline]', 58, 8)).toBe('cpu0 at 0 s: touch write, as fault');
      expect(await tell('[data-window]', 58, 15)).toBe('cpu0, from 0 s: touch write, 80.0 us');
      expect(await tell('[data-plot=vmpte]', 400, 100)).toBe('8.00 s: pt-reclaim 100 MiB');
    });

    test('a line that is switched off is gone, and a logarithm draws another plot', async () => {
      await open(sampleResult([fullRun('none'), fullRun('pt-reclaim')]));
      const both = await pictureOf('[data-plot=vmpte]');
      await page.locator('[data-plot=vmpte] [data-line="1"]').uncheck();
      const one = await pictureOf('[data-plot=vmpte]');
      await page.locator('[data-plot=vmpte] [data-log]').check();
      const other = await pictureOf('[data-plot=vmpte]');
      expect(new Set([both, one, other]).size).toBe(3);
    });

    test('an interleaving is stepped through by buttons and by the keyboard', async () => {
      await open(sampleExploration());
      const position = page.locator('[data-position]');
      const shown = page.locator('[data-state]:visible');
      const current = page.locator('[aria-current=step]');
      expect(await position.textContent()).toBe('Before row 1 of 5');
      expect(await shown.textContent()).toContain('Before row 1');
      await page.getByRole('button', { name: 'Next' }).click();
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('ArrowDown');
      expect(await position.textContent()).toBe('Row 4 of 5');
      expect(await current.getAttribute('data-row')).toBe('4');
      expect(await shown.textContent()).toMatch(/pmd\[0\]\s*none changed/);
      await page.keyboard.press('ArrowUp');
      expect(await position.textContent()).toBe('Row 3 of 5');
      await page.keyboard.press('End');
      await page.keyboard.press('ArrowRight');
      expect(await position.textContent()).toBe('Row 5 of 5');
      await page.keyboard.press('Home');
      expect(await position.textContent()).toBe('Before row 1 of 5');
      await page.getByRole('button', { name: 'Go to row 2' }).click();
      expect(await current.getAttribute('data-row')).toBe('2');
    });

    test('the lights go out as the system has it, and at the button', async () => {
      const paper = () =>
        page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
      const button = page.locator('button.theme');
      await page.emulateMedia({ colorScheme: 'light' });
      await open(sampleResult([fullRun()]));
      const light = await paper();
      const picture = await pictureOf('[data-occupancy]');
      expect(await button.getAttribute('aria-pressed')).toBe('false');
      await button.focus();
      await page.keyboard.press('Enter');
      expect(await button.getAttribute('aria-pressed')).toBe('true');
      const dark = await paper();
      expect(dark).not.toBe(light);
      expect(await pictureOf('[data-occupancy]')).not.toBe(picture);
      await button.click();
      expect(await paper()).toBe(light);
      await page.emulateMedia({ colorScheme: 'dark' });
      await open(sampleResult([fullRun()]));
      expect(await paper()).toBe(dark);
      await page.emulateMedia({ colorScheme: 'light' });
    });

    test.each([
      ['a result', 'light', sampleResult([violated()])],
      ['a result', 'dark', sampleResult([violated()])],
      ['an exploration', 'light', sampleExploration()],
      ['an exploration', 'dark', sampleExploration()],
    ] as const)('%s in %s colours has no serious barriers', async (_, colorScheme, document) => {
      await page.emulateMedia({ colorScheme });
      await open(document);
      await page.evaluate('for (const each of document.querySelectorAll("details")) each.open = 1');
      await page.evaluate(axe.source);
      // In the dark only colours differ.
      const rules = colorScheme === 'dark' ? { runOnly: ['color-contrast'] } : {};
      const run = `axe.run(${JSON.stringify(rules)})`;
      const { violations, passes } = (await page.evaluate(run)) as axe.AxeResults;
      const serious = violations.filter(({ impact }) => /serious|critical/.test(impact ?? ''));
      const told = serious.map(({ id, nodes }) => `${id}: ${nodes[0]!.html}`);
      expect(told).toEqual([]);
      expect(passes.length).toBeGreaterThanOrEqual(colorScheme === 'dark' ? 1 : 20);
      await page.emulateMedia({ colorScheme: 'light' });
    });

    test.each([
      ['a result', sampleResult([fullRun('none'), violated(), fullRun('a-long-name'.repeat(4))])],
      ['an exploration', sampleExploration()],
    ])('%s fits 360 pixels without scrolling sideways', async (_, document) => {
      await open(document);
      await page.setViewportSize({ width: 360, height: 740 });
      await page.evaluate('for (const each of document.querySelectorAll("details")) each.open = 1');
      await page.evaluate(FRAMES);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
      expect(said).toEqual([]);
    });

    test('the largest that runs can make is small enough, and soon ready', async () => {
      const text = await open(sampleResult(Array.from({ length: PROTOCOLS }, largestRun)));
      // The page's script has run by then.
      const readyMs = Number(
        await page.evaluate(
          'performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd',
        ),
      );
      expect(text.length).toBeLessThan(BYTES_MAX);
      expect(readyMs).toBeGreaterThan(0);
      expect(readyMs).toBeLessThan(READY_MS_MAX);
    });
  },
);

/** After two frames whatever follows a size has been drawn. */
const FRAMES =
  'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))';

/** A canvas, of which this program knows no type. */
interface Drawn {
  toDataURL(): string;
}

function browserPath(): string | null {
  const { CHROME_PATH, PATH = '' } = process.env;
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const places = PATH.split(':').flatMap((place) => names.map((name) => join(place, name)));
  return [...(CHROME_PATH ? [CHROME_PATH] : []), ...places].find(existsSync) ?? null;
}

/** With the script and style that the build has made. */
function pageOf(document: PagedDocument): string {
  const [script, style] = ['report-page.js', 'report-page.css'].map((name) =>
    readFileSync(new URL(`../../../dist/${name}`, import.meta.url), 'utf8'),
  );
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64');
  return htmlReport(document, {
    assets: {
      ...{ script: script!, style: style! },
      ...{ scriptSha256: sha256(script!), styleSha256: sha256(style!) },
    },
    explain: () => 'A sentence.',
  });
}

function fullRun(protocol = 'pt-reclaim'): Run {
  return sampleRun({
    protocol,
    rssKiB: {
      start: 0,
      peak: 2048,
      end: 0,
      series: [
        [0, 0],
        [9000, 2048],
        [12_300, 0],
      ],
    },
    ...{ occupancy: sampleOccupancy(), timeline: sampleTimeline(), ...sampleLocks() },
  });
}

function violated(): Run {
  const violation = { kind: 'lost-entry', message: 'lost', cpus: [0], replay: 'pt1:word' };
  return { ...fullRun('async-scanner'), exit: 'violation', violations: [violation] };
}

/** Everything that is sampled at its bound, on eight CPUs. */
function largestRun(_: unknown, index: number): Run {
  const run = fullRun(`protocol-${index}`);
  const counts = (seed: number): number[] =>
    Array.from({ length: 256 }, (_, i) => (i * seed) % 1000);
  const occupancy: Occupancy = {
    ...{ slotKiB: 2048, slotsPerBucket: 1000, slotStep: 1 },
    spans: [{ name: 'heap', firstSlot: 512, slots: 256_000, buckets: 256 }],
    samples: Array.from({ length: 60 }, (_, i) => ({
      ...{ ms: 170 * i, live: counts(7), empty: counts(11), unhooked: counts(13), unplaced: i },
    })),
  };
  const timeline = sampleTimeline();
  const eight = (value: number): number[] => Array.from({ length: 8 }, (_, i) => value * (i % 2));
  const samples = Array.from(
    { length: 240 },
    (_, i): TimelineSample => ({
      ...{ ms: 42 * i, act: eight(1), actor: eight(2), waits: eight(i % 2) },
    }),
  );
  const series = Array.from({ length: 400 }, (_, i): [number, number] => [25 * i, 4 * (i % 90)]);
  return {
    ...{ ...run, cpus: 8, occupancy },
    timeline: { ...timeline, samples },
    vmpteKiB: { ...run.vmpteKiB, series },
    rssKiB: { ...run.rssKiB, series },
  };
}
