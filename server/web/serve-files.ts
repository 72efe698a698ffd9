/** Files for browsers from memory, each answer under a policy of what the page may load and whom it may speak to. */
import type { ServerResponse } from 'node:http';
import { extname } from 'node:path';
import type { WebFile } from './bundle.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8', '.css': 'text/css; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.json': 'application/json', '.svg': 'image/svg+xml', '.wasm': 'application/wasm', '.txt': 'text/plain; charset=utf-8',
};

/** Content-Security-Policy of a page that loads from its own origin alone, and speaks to it and to `connect`. */
export function pagePolicy({ connect = [], wasm = false }: { readonly connect?: readonly string[]; readonly wasm?: boolean } = {}): string {
  // Compiling WebAssembly counts as evaluating code; nothing else of that kind is let in.
  const scripts = wasm ? "'self' 'wasm-unsafe-eval'" : "'self'";
  return `default-src 'self'; script-src ${scripts}; style-src 'self'; img-src 'self' data:; worker-src 'self'; connect-src ${["'self'", ...connect].join(' ')}; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}

/** 404 where there is no such file. */
export function answerFile(response: ServerResponse, file: WebFile | undefined, policy: string): void {
  response.setHeader('Content-Security-Policy', policy);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('Cache-Control', 'no-store');
  if (file === undefined) return void response.writeHead(404).end();
  response.writeHead(200, { 'Content-Type': types[extname(file.path)] ?? 'application/octet-stream' }).end(file.bytes);
}
