/**
 * The page around its contents: one file that opens without a network. Its policy lets nothing be
 * loaded, and only the script and the style run that are in it, by their hashes.
 */
import { type Html, html, inlined } from './markup.ts';

/** What the build makes of the page's script and style, with their hashes in base64. */
export interface PageAssets {
  readonly script: string;
  readonly style: string;
  readonly scriptSha256: string;
  readonly styleSha256: string;
}

export interface Contents {
  readonly title: string;
  readonly header: Html;
  /** Where the page's list of contents leads. */
  readonly links: readonly (readonly [id: string, text: string])[];
  readonly main: Html;
  readonly data: Html;
}

export function shell(contents: Contents, assets: PageAssets): string {
  const { title, header, links, main, data } = contents;
  const policy = [
    `default-src 'none'`,
    `script-src 'sha256-${assets.scriptSha256}'`,
    `style-src 'sha256-${assets.styleSha256}'`,
    `base-uri 'none'`,
    `form-action 'none'`,
  ].join('; ');
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="pttorture">
<title>${title}</title>
${inlined('style', assets.style)}
</head>
<body>
<a class="skip" href="#main">Skip to the contents</a>
<header class="page-header">
<button type="button" class="theme" aria-pressed="false" hidden>Dark</button>
${header}
</header>
<nav class="contents" aria-label="Contents">
<ul>${links.map(([id, text]) => html`<li><a href="#${id}">${text}</a></li>`)}</ul>
</nav>
<main id="main" tabindex="-1">
${main}
</main>
${data}
${inlined('script', assets.script)}
</body>
</html>
`.text;
}

/** A command or word to take along; the button appears where there is a script. */
export function copyable(text: string, what: string): Html {
  return html`<span class="copyable"><code>${text}</code>
<button type="button" class="copy" aria-label="Copy ${what}" hidden>Copy</button></span>`;
}

/** A list of facts, each with its label. */
export function factList(facts: readonly (readonly [label: string, text: Html | string])[]): Html {
  return html`<dl class="facts">
${facts.map(([label, text]) => html`<div><dt>${label}</dt><dd>${text}</dd></div>\n`)}</dl>`;
}
