/** Listens to the signals that hold a degree down, from before the first event: it is small, and loaded at once. */
import { capOfGpc, capOfTcf, consentCommand, type SignalCap } from '../../shared/commerce/consent-signals.ts';

export interface Signals {
  readonly gpc: boolean;
  /** Of each signal that holds down now. */
  caps(): readonly (SignalCap | null)[];
  close(): void;
}

type TcfApi = (command: string, version: number, callback: (data: { readonly listenerId?: number } | null, isGood: boolean) => void, parameter?: number) => void;

/** What consent tools put into a page. */
interface PageScope {
  readonly navigator?: { readonly globalPrivacyControl?: boolean };
  readonly document?: { readonly readyState: string };
  readonly __tcfapi?: TcfApi;
  dataLayer?: unknown;
}

export function listenToSignals(onChange: () => void): Signals {
  const page = globalThis as unknown as PageScope;
  // What is there already is asked for with `caps`.
  let isOpen = false;
  const heard = (): void => {
    if (isOpen) onChange();
  };
  const consentMode = listenToConsentMode(page, heard);
  const tcf = listenToTcf(page, heard);
  isOpen = true;
  return {
    get gpc() {
      return page.navigator?.globalPrivacyControl === true;
    },
    caps() {
      return [capOfGpc(this.gpc), consentMode(), tcf.cap()];
    },
    close() {
      isOpen = false;
      tcf.close();
    },
  };
}

/** Other tags wrap `push` as well: it is never put back, and is deaf after `close`. */
function listenToConsentMode(page: PageScope, onChange: () => void): () => SignalCap | null {
  let cap: SignalCap | null = null;
  const hear = (entry: unknown): void => {
    const command = consentCommand(entry);
    if (command === null) return;
    const undecided: SignalCap = { degree: 1, by: 'consent-mode', isDecided: false };
    cap = command.isDenied ? { ...undecided, isDecided: command.waitMs === 0 } : null;
    const waiting = cap;
    if (waiting?.isDecided === false) setTimeout(() => {
      if (cap !== waiting) return;
      cap = { ...undecided, isDecided: true };
      onChange();
    }, command.waitMs);
    onChange();
  };
  // In a page, the first of all tags may find none yet.
  if (page.document !== undefined) page.dataLayer ??= [];
  const { dataLayer } = page;
  if (!Array.isArray(dataLayer)) return () => null;
  const layer = dataLayer as unknown[];
  layer.forEach(hear);
  const push = layer.push.bind(layer);
  layer.push = (...entries) => {
    const length = push(...entries);
    entries.forEach(hear);
    return length;
  };
  return () => cap;
}

/** A consent tool may come after this: it is looked for until the page is there, and a while beyond. */
const lookAgainMs = 250;
const lookTimes = 40;

function listenToTcf(page: PageScope, onChange: () => void): { readonly cap: () => SignalCap | null; readonly close: () => void } {
  let cap: SignalCap | null = null;
  let api: TcfApi | undefined;
  let listener: number | undefined;
  let looked = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = (): void => {
    api = page.__tcfapi;
    if (api === undefined) {
      // Only pages have such tools. One that is still loading may have any number of scripts ahead.
      if (page.document !== undefined && (page.document.readyState !== 'complete' || (looked += 1) <= lookTimes)) timer = setTimeout(look, lookAgainMs);
      return;
    }
    // Until the tool has said otherwise.
    const asked: SignalCap = { degree: 1, by: 'tcf', isDecided: false };
    cap = asked;
    api('addEventListener', 2, (data, isGood) => {
      if (!isGood) return;
      listener = data?.listenerId;
      cap = capOfTcf(data);
      onChange();
    });
    // Not answered yet.
    if (cap === asked) onChange();
  };
  look();
  return {
    cap: () => cap,
    close() {
      clearTimeout(timer);
      api?.('removeEventListener', 2, () => undefined, listener);
    },
  };
}
