/** Facts about image save and restore. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { property } from '#base/property.suite';
import { restoreImage, saveImage } from './image.ts';

const contents = fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), {
  minLength: 1,
  maxLength: 64,
});

property([contents, fc.nat(63)])('a restored arena is as it was saved', (values, changed) => {
  const words = new Int32Array(new SharedArrayBuffer(4 * values.length));
  words.set(values);
  const image = saveImage(words);
  words[changed % values.length]! ^= 0x55;
  expect([...image]).toEqual(values);
  restoreImage(words, image);
  expect([...words]).toEqual(values);
});

test('an image of another size is refused', () => {
  const words = new Int32Array(new SharedArrayBuffer(16));
  expect(() => restoreImage(words, new Int32Array(3))).toThrow('image of 3 words, arena of 4');
});
