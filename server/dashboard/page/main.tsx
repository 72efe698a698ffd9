/** Starts the page. */
import { render } from 'preact';
import '@preact/signals';
import { App } from './app.tsx';
import { startFeed } from './feed.ts';
import { startStore } from './store.ts';

const place = document.getElementById('app');
if (place !== null) {
  place.replaceChildren();
  render(<App />, place);
}
startStore();
startFeed();
