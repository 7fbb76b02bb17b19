/**
 * Build step: the script and the style of HTML reports, each as one text that a report takes up
 * whole. The script is bundled from its TypeScript, with the package that draws its plots.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { rolldown } from 'rolldown';

/** Writes `dist/report-page.js` and `.css`. */
export async function writeReportPage(root: string): Promise<void> {
  const page = join(root, 'src', 'report', 'html', 'page');
  const bundle = await rolldown({
    input: join(page, 'main.ts'),
    cwd: root,
    logLevel: 'silent',
    resolve: { conditionNames: ['source', 'browser', 'import'] },
    tsconfig: join(page, 'tsconfig.json'),
  });
  const { output } = await bundle.generate({ format: 'iife', minify: true });
  await bundle.close();
  writeFileSync(join(root, 'dist', 'report-page.js'), output[0].code);
  const plots = createRequire(import.meta.url).resolve('uplot/dist/uPlot.min.css');
  const style = [plots, join(page, 'page.css')].map((path) => readFileSync(path, 'utf8'));
  writeFileSync(join(root, 'dist', 'report-page.css'), style.join('\n'));
}
