/** For tests of the page: assets of their own, and what markup says without a browser. */
import type { PageAssets } from './shell.ts';

export const ASSETS: PageAssets = {
  ...{ script: 'let made = "by the build";', style: 'p { color: red; }' },
  ...{ scriptSha256: 'c2NyaXB0', styleSha256: 'c3R5bGU=' },
};

const VOID = new Set(['meta', 'input', 'path']);
const TAG = /<(\/?)([a-z][a-z0-9]*)((?:\s+[a-zA-Z-]+(?:="[^"]*")?)*)\s*(\/?)>/g;

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/**
 * The elements of a page in order. Throws where a tag is not closed by its own, or a `<` begins
 * none: then something was not escaped. What stands in scripts and styles is passed over.
 */
export function elementsOf(page: string): Element[] {
  const text = page
    .replace(/^<!doctype html>/, '')
    .replace(/(<(script|style)[^>]*>)[\s\S]*?(<\/\2>)/g, '$1$3');
  const open: string[] = [];
  const elements: Element[] = [];
  let end = 0;
  for (const match of text.matchAll(TAG)) {
    const [whole, closing, name, attributes, itself] = match;
    const between = text.slice(end, match.index);
    if (/[<>]/.test(between)) throw new Error(`no markup: ${between.trim()}`);
    end = match.index + whole.length;
    if (closing === '/') {
      const latest = open.pop();
      if (latest !== name) throw new Error(`</${name}> closes <${latest}>`);
      continue;
    }
    const pairs = [...attributes!.matchAll(/([a-zA-Z-]+)(?:="([^"]*)")?/g)];
    elements.push({
      name: name!,
      attributes: Object.fromEntries(pairs.map(([, key, value]) => [key, value ?? ''])),
    });
    if (itself === '' && !VOID.has(name!)) open.push(name!);
  }
  if (open.length > 0) throw new Error(`not closed: ${open.join(', ')}`);
  if (/[<>]/.test(text.slice(end))) throw new Error('no markup at the end');
  return elements;
}

/** The text of a page, as it is read. */
export function textOf(page: string): string {
  return page
    .replace(/<(script|style)[^>]*>[\s\S]*?<\/\1>/g, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
    .replace(/\s+/g, ' ');
}
