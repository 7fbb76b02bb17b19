/** The HTML report: a pure function of a document to one file that needs nothing else. */
import type { Result } from '#result/result';
import type { PagedDocument } from '#result/saved';
import { catalogueLinks, catalogueMain } from './catalogue-main.ts';
import { pageData, runName, scalingCurves } from './data.ts';
import { explorationLinks, explorationMain } from './exploration-main.ts';
import { catalogueHeader, explorationHeader, resultHeader } from './header.ts';
import { dataScript, type Html, html } from './markup.ts';
import { memory } from './memory.ts';
import { hasRecording, recorded } from './recorded.ts';
import { runSection } from './run-section.ts';
import { scaling } from './scaling.ts';
import { type Contents, type PageAssets, shell } from './shell.ts';
import { compared, verdicts } from './verdicts.ts';
import { type Explain, violations } from './violations.ts';

export interface HtmlOptions {
  readonly assets: PageAssets;
  /** The sentence that explains a kind of violation, where one is known. */
  readonly explain?: Explain;
}

export function htmlReport(document: PagedDocument, options: HtmlOptions): string {
  const { assets, explain = () => undefined } = options;
  return shell(contentsOf(document, explain), assets);
}

function contentsOf(document: PagedDocument, explain: Explain): Contents {
  const nothing = html``;
  if (!('kind' in document))
    return {
      title: `${document.scenario}: pttorture`,
      header: resultHeader(document),
      links: resultLinks(document),
      main: resultMain(document, explain),
      data: dataScript('data', pageData(document)),
    };
  if (document.kind === 'catalogue')
    return {
      title: 'The catalogue: pttorture',
      header: catalogueHeader(document),
      links: catalogueLinks(document),
      main: catalogueMain(document, explain),
      data: nothing,
    };
  return {
    title: `${document.scenario} under ${document.protocol}: pttorture`,
    header: explorationHeader(document),
    links: explorationLinks(document),
    main: explorationMain(document, explain),
    data: nothing,
  };
}

function resultMain(result: Result, explain: Explain): Html {
  return html`${verdicts(result)}
${violations(result, explain)}
${compared(result)}
${recorded(result)}
${memory(result)}
${scaling(result)}
${result.runs.map((_, i) => runSection(result, i))}`;
}

function resultLinks(result: Result): [id: string, text: string][] {
  const { runs } = result;
  const parts: [isThere: boolean, id: string, text: string][] = [
    [true, 'verdicts', 'Verdicts'],
    [runs.some(({ violations: found }) => found.length > 0), 'violations', 'What went wrong'],
    [runs.length > 1, 'compared', 'Runs compared'],
    [hasRecording(result), 'recording', 'The real program'],
    [runs.some((run) => run.vmpteKiB.series.length > 1), 'memory', 'Memory over time'],
    [scalingCurves(result).length > 0, 'scaling', 'Scaling'],
  ];
  return [
    ...parts.flatMap(([isThere, id, text]): [string, string][] => (isThere ? [[id, text]] : [])),
    ...runs.map((run, i): [string, string] => [`run-${i + 1}`, runName(run, result)]),
  ];
}
