/**
 * Gives others their turn of the event loop, the same in Node and browsers: timers of browsers wait four milliseconds
 * once they are nested, and Node's own way is Node's alone.
 */

/** Resolves in a later turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
