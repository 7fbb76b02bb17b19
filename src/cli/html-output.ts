/** Where `--html` goes: a file that appears whole or not at all, and needs no other. */
import { createHash } from 'node:crypto';
import { UserError } from '#base/user-error';
import type { PagedDocument } from '#result/saved';
import type { Context } from './command-line.ts';

export interface HtmlOutput {
  write(document: PagedDocument): Promise<void>;
  discard(): void;
}

/** Opens the target before the work, so that a path that cannot be written costs none. */
export function openHtmlOutput(context: Context, target: string, json?: string): HtmlOutput {
  if (target === '-') throw new UserError('--html writes a file; stdout is for --json');
  if (target === json) throw new UserError(`--html and --json name the same file "${target}"`);
  const file = context.io.openPending(target);
  return {
    write: async (document) => file.commit(await htmlText(context, document)),
    discard: () => file.discard(),
  };
}

async function htmlText({ io, engine }: Context, document: PagedDocument): Promise<string> {
  const { htmlReport } = await import('#report/html/report');
  const oracles = await engine.oracles();
  const sentences = new Map(oracles.map(({ name, sentence }) => [name, sentence]));
  const script = io.readAsset('report-page.js');
  const style = io.readAsset('report-page.css');
  return htmlReport(document, {
    assets: { script, style, scriptSha256: sha256(script), styleSha256: sha256(style) },
    explain: (kind) => sentences.get(kind),
  });
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
