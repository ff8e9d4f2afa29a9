// Brings a page's saved widgets to life without a kernel: reads the widget state that the build left in the page,
// creates the models, and draws a view at each place where the notebook displayed one.
import * as base from '@jupyter-widgets/base';
import { ManagerBase } from '@jupyter-widgets/base-manager';
import * as controls from '@jupyter-widgets/controls';
import '@jupyter-widgets/controls/css/labvariables.css';
import '@jupyter-widgets/controls/css/widgets-base.css';
import { Widget } from '@lumino/widgets';
import '@lumino/widgets/style/index.css';
import createAnywidget from 'anywidget';
import { restoreShared } from './shared.mjs';
import './typeset.js';

const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';
const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';
const MODULES = {
  '@jupyter-widgets/base': base,
  '@jupyter-widgets/controls': controls,
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

async function draw(manager, models, place) {
  const { model_id: id } = JSON.parse(place.textContent);
  const model = models.find((candidate) => candidate.model_id === id);
  if (!model) return;
  const area = document.createElement('div');
  area.className = 'widget-subarea';
  place.before(area);
  const view = await manager.create_view(model);
  Widget.attach(view.luminoWidget, area);
  await settle(view);
  area.querySelectorAll('.noUi-handle').forEach(nameSlider);
}

/** Waits until a box has drawn its children, which it does on its own time. */
async function settle(view) {
  const children = await Promise.all(view.children_views?.views ?? []);
  await Promise.all(children.map(settle));
}

/** noUiSlider's handles have role "slider" but no name: they take the label that stands beside them. */
function nameSlider(handle) {
  const label = handle.closest('.jupyter-widgets')?.querySelector('.widget-label')?.textContent ?? '';
  handle.setAttribute('aria-label', label.replace(/\$|\\[()]/g, '').trim() || 'slider');
}

async function main() {
  const state = document.querySelector(STATE);
  if (!state) return;
  const manager = new StaticManager();
  const models = await manager.set_state(restoreShared(JSON.parse(state.textContent)));
  for (const place of document.querySelectorAll(VIEW)) await draw(manager, models, place);
  document.documentElement.dataset.widgetsReady = 'true';
}

main();
