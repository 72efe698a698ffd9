/**
 * What leaves a page or a worker, seen where it leaves: bodies of `fetch`, frames of WebSockets, and what was downloaded by the
 * browser's own account. Installed first of all, so that nothing in this scope speaks past it; headers are not counted.
 */
import { decodeChunk } from '../../../../shared/protocol/messages.ts';

export type Traffic =
  /** A document came; the request had no body. */
  | { readonly kind: 'download'; readonly path: string; readonly bytes: number }
  /** A request that is more than a question for a document, be its body empty or not. */
  | { readonly kind: 'request'; readonly method: string; readonly path: string; readonly bytes: number }
  /** A text frame of the connection to the coordinator: who this device is, and that it is there. */
  | { readonly kind: 'frame'; readonly type: string; readonly bytes: number }
  /** A frame of a report: numbers made from the shopper's history, with noise or under masks. */
  | { readonly kind: 'report'; readonly round: string; readonly bytes: number; readonly numbers: Int32Array };

/** As many numbers of a frame are kept to be drawn. */
const numbersKept = 2_048;

export function observeTraffic(tell: (traffic: Traffic) => void): void {
  // The browser's account does not say by which method: what is told of as a request must not be told of as a document, too.
  const requested = new Set<string>();
  observeRequests(tell, requested);
  observeDownloads(tell, requested);
  observeFrames(tell);
}

function observeDownloads(tell: (traffic: Traffic) => void, requested: ReadonlySet<string>): void {
  const note = (entries: PerformanceEntryList): void => {
    for (const { name, transferSize, encodedBodySize } of entries as PerformanceResourceTiming[]) {
      // What cost no byte neither came from the network nor asked it.
      if (transferSize > 0 && !requested.has(name)) tell({ kind: 'download', path: shown(name), bytes: encodedBodySize });
    }
  };
  // The page itself has come already; whoever listens for it hears of it twice.
  note(performance.getEntriesByType('navigation'));
  new PerformanceObserver((list) => note(list.getEntries())).observe({ type: 'resource', buffered: true });
}

function observeRequests(tell: (traffic: Traffic) => void, requested: Set<string>): void {
  const { fetch } = globalThis;
  globalThis.fetch = async (input, init) => {
    const method = (init?.method ?? (input instanceof Request ? input.method : 'GET')).toUpperCase();
    if (method !== 'GET' && method !== 'HEAD') {
      const { href } = new URL(input instanceof Request ? input.url : input, globalThis.location.href);
      requested.add(href);
      tell({ kind: 'request', method, path: shown(href), bytes: await bodyBytes(input, init) });
    }
    return fetch(input, init);
  };
}

async function bodyBytes(input: RequestInfo | URL, init: RequestInit | undefined): Promise<number> {
  const sent = init?.body !== undefined && init.body !== null ? new Response(init.body) : input instanceof Request ? input.clone() : null;
  return sent === null ? 0 : (await sent.blob()).size;
}

function observeFrames(tell: (traffic: Traffic) => void): void {
  const sockets: { send: (this: WebSocket, data: Parameters<WebSocket['send']>[0]) => void } = WebSocket.prototype;
  const { send } = sockets;
  sockets.send = function (data) {
    if (typeof data === 'string') tell({ kind: 'frame', type: typeOf(data), bytes: new TextEncoder().encode(data).length });
    else if (data instanceof Uint8Array) tell(reportOf(data));
    return send.call(this, data);
  };
}

function typeOf(text: string): string {
  return (JSON.parse(text) as { readonly type: string }).type;
}

function reportOf(frame: Uint8Array): Traffic {
  const { round, data } = decodeChunk(frame);
  return { kind: 'report', round, bytes: frame.length, numbers: data.slice(0, numbersKept) };
}

/** An address of this origin without it. */
function shown(address: string): string {
  const { origin, pathname, search, href } = new URL(address, globalThis.location.href);
  return origin === globalThis.location.origin ? pathname + search : href;
}
