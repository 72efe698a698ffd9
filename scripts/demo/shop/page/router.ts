/** Pages with addresses of their own, changed without a request: the server answers each with the same page. */
import { computed, signal } from '@preact/signals';
import { departments, type Department } from './departments.ts';

export type Route =
  | { readonly kind: 'home' }
  | { readonly kind: 'product'; readonly id: string }
  | { readonly kind: 'list'; readonly text: string; readonly department: Department | null }
  | { readonly kind: 'basket' }
  | { readonly kind: 'privacy' };

const address = signal(location.pathname + location.search);
export const route = computed(() => routeOf(new URL(address.value, location.origin)));

export function pathOf(wanted: Route): string {
  switch (wanted.kind) {
    case 'home':
      return '/';
    case 'product':
      return `/product/${encodeURIComponent(wanted.id)}`;
    case 'list': {
      const query = new URLSearchParams({ ...(wanted.text === '' ? {} : { q: wanted.text }), ...(wanted.department === null ? {} : { department: wanted.department }) });
      return query.size === 0 ? '/list' : `/list?${query.toString()}`;
    }
    case 'basket':
    case 'privacy':
      return `/${wanted.kind}`;
    default:
      return wanted satisfies never;
  }
}

export function go(path: string): void {
  history.pushState(null, '', path);
  address.value = location.pathname + location.search;
  scrollTo(0, 0);
}

/** Links to pages of the shop change the address, those inside of shelves included. */
export function followLinks(): void {
  addEventListener('popstate', () => void (address.value = location.pathname + location.search));
  document.addEventListener('click', (event) => {
    const link = event.composedPath().find((target) => target instanceof HTMLAnchorElement);
    if (link === undefined || link.origin !== location.origin || link.hash !== '' || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}

/** What is no encoding of anything is the id of no product. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function routeOf({ pathname, searchParams }: URL): Route {
  const [, first, second] = pathname.split('/');
  switch (first) {
    case 'product':
      return { kind: 'product', id: decoded(second ?? '') };
    case 'list':
      return { kind: 'list', text: searchParams.get('q') ?? '', department: departments.find((name) => name === searchParams.get('department')) ?? null };
    case 'basket':
    case 'privacy':
      return { kind: first };
    default:
      return { kind: 'home' };
  }
}
