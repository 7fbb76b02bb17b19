/** Nothing that is put into markup becomes markup. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { property } from '#base/property.suite';
import { dataScript, html, inlined } from './markup.ts';
import { elementsOf, textOf } from './page.suite.ts';

describe('a piece of text', () => {
  test('stays text, in elements and in attributes', () => {
    const hostile = `"><img src=x onerror='alert(1)'>&lt;`;
    const { text } = html`<p title="${hostile}">${hostile}</p>`;
    expect(elementsOf(text)).toEqual([{ name: 'p', attributes: { title: expect.any(String) } }]);
    expect(textOf(text).trim()).toBe(hostile);
  });

  property([fc.string({ unit: 'binary' })])('makes no element and no attribute', (text) => {
    const page = html`<p title="${text}">${[text, html`<b>${text}</b>`]}</p>`.text;
    expect(elementsOf(page).map(({ name }) => name)).toEqual(['p', 'b']);
  });

  test('has no characters that a page would not show', () => {
    expect(html`${'a\u0000b\u202ec\u2028d'}`.text).toBe('a b c d');
  });
});

test('numbers are shown, null and false are not', () => {
  expect(html`${0}|${1.5}|${null}|${false}|${[html`<i>x</i>`, 'y']}`.text).toBe(
    '0|1.5|||<i>x</i>y',
  );
});

describe('data', () => {
  property([fc.jsonValue()])('comes back as it was, and cannot end its script', (data) => {
    const { text } = dataScript('data', data);
    const [, json] = /^<script type="application\/json" id="data">(.*)<\/script>$/s.exec(text)!;
    expect(json).not.toMatch(/[<>\u2028\u2029]/);
    expect(JSON.parse(json!)).toEqual(JSON.parse(JSON.stringify(data)));
  });
});

test('what the build has made must not end its element', () => {
  expect(() => inlined('script', 'let x = "</script>";')).toThrow('would end before its end');
  expect(() => inlined('style', 'p::after { content: "</STYLE>"; }')).toThrow();
  expect(inlined('style', 'p { color: red; }').text).toBe('<style>p { color: red; }</style>');
});
