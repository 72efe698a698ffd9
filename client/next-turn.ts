/** Gives others their turn of the event loop, the same in Node and browsers. */

/** Resolves in a later turn. Where the platform has only timers, that may take some milliseconds. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}
