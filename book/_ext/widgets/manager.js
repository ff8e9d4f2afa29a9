// Brings a page's saved widgets to life without a kernel: reads the files in which the build left the models, and draws a view at
// each place where the notebook displayed one. The first comes at once, then the formulas, the others when the reader comes near.
import * as base from '@jupyter-widgets/base';
import { ManagerBase } from '@jupyter-widgets/base-manager';
import '@jupyter-widgets/controls/css/labvariables.css';
import '@jupyter-widgets/controls/css/widgets-base.css';
import * as bool from '@jupyter-widgets/controls/lib/widget_bool.js';
import * as box from '@jupyter-widgets/controls/lib/widget_box.js';
import * as button from '@jupyter-widgets/controls/lib/widget_button.js';
import * as description from '@jupyter-widgets/controls/lib/widget_description.js';
import * as float from '@jupyter-widgets/controls/lib/widget_float.js';
import * as int from '@jupyter-widgets/controls/lib/widget_int.js';
import * as link from '@jupyter-widgets/controls/lib/widget_link.js';
import * as selection from '@jupyter-widgets/controls/lib/widget_selection.js';
import * as string from '@jupyter-widgets/controls/lib/widget_string.js';
import { Widget } from '@lumino/widgets';
import '@lumino/widgets/style/index.css';
import createAnywidget from 'anywidget';
import { join, load } from './files.mjs';
import './typeset.js';

const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';
const NEAR = '100% 0%'; // of the window's height, above and below it
const PATIENCE = 30_000; // milliseconds for the first explorer, before the formulas come all the same
const FORMULAS = document.currentScript.dataset.then; // where they are, or empty
const MODULES = {
  '@jupyter-widgets/base': base,
  // The kinds of controls that the book uses; date pickers, tabs, uploads and the like would be a fifth more to load.
  '@jupyter-widgets/controls': { ...bool, ...box, ...button, ...description, ...float, ...int, ...link, ...selection, ...string },
  anywidget: createAnywidget(base),
};

class StaticManager extends ManagerBase {
  async loadClass(className, moduleName) {
    const found = MODULES[moduleName]?.[className];
    if (!found) throw new Error(`The site's widget bundle has no ${className} of ${moduleName}: add it in book/_ext/widgets/manager.js.`);
    return found;
  }

  // There is no kernel: a comm accepts everything and answers nothing.
  async _get_comm_info() { return {}; }
  async _create_comm() { return { on_close() {}, on_msg() {}, send() {}, close() {} }; }
}

const filesOf = (place) => Promise.all(place.dataset.files.split(' ').map(load));

/** Draws the widget of one place, or says there why it could not. */
async function draw(manager, place) {
  const { model_id: id } = JSON.parse(place.textContent);
  const area = place.previousElementSibling;
  try {
    const models = await join(await filesOf(place));
    if (Object.values(models).some((model) => model.model_module === 'anywidget')) area.classList.add('vae-canvas');
    if (!manager.has_model(id)) await manager.set_state({ version_major: 2, version_minor: 0, state: models });
    const view = await manager.create_view(await manager.get_model(id));
    Widget.attach(view.luminoWidget, area);
    await settle(view);
    area.querySelectorAll('.noUi-handle').forEach(nameSlider);
  } catch (error) {
    console.error(error);
    area.classList.remove('vae-canvas');
    area.textContent = `This explorer could not be shown: ${error.message}.`;
  }
}

/** Waits until a box has drawn its children, which it does on its own time. */
async function settle(view) {
  const children = await Promise.all(view.children_views?.views ?? []);
  await Promise.all(children.map(settle));
}

/** noUiSlider's handles have role "slider" but no name, and say unrounded numbers, or exponents: they take the texts that stand beside them. */
function nameSlider(handle) {
  const slider = handle.closest('.jupyter-widgets');
  const label = slider?.querySelector('.widget-label')?.textContent ?? '';
  handle.setAttribute('aria-label', label.replace(/\$|\\[()]/g, '').trim() || 'slider');
  const readout = slider?.querySelector('.widget-readout');
  if (!readout) return;
  const say = () => { if (handle.getAttribute('aria-valuetext') !== readout.textContent) handle.setAttribute('aria-valuetext', readout.textContent); };
  const watch = new MutationObserver(say);
  watch.observe(readout, { childList: true, characterData: true, subtree: true });
  watch.observe(handle, { attributeFilter: ['aria-valuetext'] });
  say();
}

/** Waits until the explorer in an area can be used, if there is one and it has not failed; not for ever. */
function usable(area) {
  const ready = () => !area.matches('.vae-canvas') || area.querySelector('.vae-explorer[data-ready=true]');
  return new Promise((resolve) => {
    const look = () => { if (ready()) resolve(); };
    new MutationObserver(look).observe(area, { subtree: true, childList: true, attributeFilter: ['data-ready'] });
    setTimeout(resolve, PATIENCE);
    look();
  });
}

/** Waits until what has been drawn is on the screen: one frame may have begun before it. */
async function painted() {
  for (let frame = 0; frame < 2; frame++) await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
}

/** Adds the formulas' script; `prefetch` only fetches it, whenever there is time. */
function addFormulas(kind) {
  if (!FORMULAS) return;
  const made = kind === 'prefetch' ? { rel: kind, href: FORMULAS } : { src: FORMULAS };
  document.head.append(Object.assign(document.createElement(kind === 'prefetch' ? 'link' : 'script'), made));
}

async function parsed() {
  while (document.readyState === 'loading') await new Promise((resolve) => document.addEventListener('readystatechange', resolve, { once: true }));
}

/** Returns a function that goes back to the heading that the page's address names, as long as the reader has not moved. */
function keepTarget() {
  const target = document.getElementById(location.hash.slice(1));
  const moved = new AbortController();
  for (const kind of ['wheel', 'touchmove', 'pointerdown', 'keydown']) {
    window.addEventListener(kind, () => moved.abort(), { passive: true, signal: moved.signal });
  }
  return () => { if (target && !moved.signal.aborted) target.scrollIntoView({ behavior: 'instant' }); };
}

async function main() {
  await parsed();
  const goBack = keepTarget();
  window.addEventListener('formulaswritten', goBack);
  const manager = new StaticManager();
  const waiting = new Map(Array.from(document.querySelectorAll(VIEW), (place) => [place.previousElementSibling, place]));
  let undrawn = waiting.size, queue = Promise.resolve();

  /** Draws the widget of an area and waits until it can be used. They are drawn one after another; files are fetched meanwhile. */
  const show = async (area) => {
    const place = waiting.get(area);
    if (!waiting.delete(area)) return;
    filesOf(place).catch(() => {}); // draw() reports it
    queue = queue.then(() => draw(manager, place));
    await queue;
    await usable(area);
    area.classList.remove('vae-waits');
    goBack();
    undrawn -= 1;
    if (!undrawn) document.documentElement.dataset.widgetsReady = 'true';
  };
  const showAll = () => Promise.all([...waiting.keys()].map(show));

  const first = document.querySelector(`${VIEW}[data-first]`)?.previousElementSibling;
  addFormulas('prefetch');
  if (first) {
    await show(first);
    await painted();
  }
  addFormulas('script');
  const near = new IntersectionObserver((seen) => seen.filter((each) => each.isIntersecting).forEach(({ target }) => show(target)), { rootMargin: NEAR });
  for (const area of waiting.keys()) near.observe(area);
  if (location.hash.includes('=')) showAll(); // settings for whichever explorer knows them
  window.addEventListener('beforeprint', showAll);
  window.addEventListener('keydown', async (event) => {
    if (!waiting.size || event.key !== 'p' || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
    event.preventDefault(); // what is printed must be there before the browser asks for it
    await showAll();
    window.print();
  });
}

main();
