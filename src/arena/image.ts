/**
 * Image save and restore: the arena's bytes after boot, so that many runs can start from one boot.
 */
import type { Words } from './word.ts';

/** A private copy of the arena's words. */
export function saveImage(words: Words): Int32Array<ArrayBuffer> {
  return new Int32Array(words);
}

/** Puts a saved image back; sizes must agree. */
export function restoreImage(words: Words, image: Int32Array<ArrayBuffer>): void {
  if (image.length !== words.length)
    throw new RangeError(`image of ${image.length} words, arena of ${words.length}`);
  words.set(image);
}
