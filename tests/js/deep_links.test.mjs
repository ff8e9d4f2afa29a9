import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const script = readFileSync(new URL("../../book/_ext/offline_site/static/deep_links.js", import.meta.url), "utf-8");

// The script on a page that has one heading, opened at this hash: how often it scrolled there, and whom it listens to.
function open(hash) {
  const listeners = {}, seen = { scrolled: 0, reloaded: 0, history: {} };
  const heading = { scrollIntoView() { seen.scrolled++; } };
  const location = { hash, reload() { seen.reloaded++; } };
  const document = { getElementById: (id) => (id === "größe" ? heading : null) };
  new Function("location", "document", "history", "addEventListener", script)(location, document, seen.history, (name, callback) => { listeners[name] = callback; });
  return { listeners, seen };
}

// a heading with settings is scrolled to at once and after loading, by its encoded name too; another link starts again
for (const hash of ["#größe&z1=1", "#gr%C3%B6%C3%9Fe&z1=1"]) {
  const { listeners, seen } = open(hash);
  assert.equal(seen.history.scrollRestoration, "manual");
  listeners.load();
  assert.equal(seen.scrolled, 2);
  listeners.hashchange();
  assert.equal(seen.reloaded, 1);
}

// without settings the browser scrolls by itself; a % that encodes nothing names no heading, and the links still work
for (const hash of ["", "#größe", "#100%", "#100%&z1=1"]) {
  const { listeners, seen } = open(hash);
  assert.deepEqual(Object.keys(listeners), ["load", "hashchange"]);
  listeners.load();
  assert.equal(seen.scrolled, 0);
  assert.deepEqual(seen.history, {});
}
