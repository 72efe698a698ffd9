/** Random 32-bit words: nothing about them helps a processor. */
export function randomWords(length: number): Int32Array {
  const words = new Int32Array(length);
  const piece = 16_384;
  for (let start = 0; start < length; start += piece) crypto.getRandomValues(words.subarray(start, start + piece));
  return words;
}
