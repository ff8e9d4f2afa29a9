// What a displayed widget needs stands in files beside the page (offline_site/widget_files.py writes them): scripts, because a
// page on a disk may load nothing else. Each adds itself to `window.widgetFiles`, by its name.
const loading = {};

/** The content of the file at an address, which is fetched once: {models, texts}. */
export function load(address) {
  loading[address] ??= new Promise((resolve, reject) => {
    const name = address.split('/').pop();
    const found = () => window.widgetFiles?.[name];
    if (found()) {
      resolve(found());
      return;
    }
    const early = document.querySelector(`script[src="${address}"]`); // the first explorer's, on its way since the page's head
    const script = early ?? document.createElement('script');
    script.addEventListener('load', () => resolve(found()));
    script.addEventListener('error', () => reject(new Error(`${address} could not be loaded`)));
    if (early) return;
    script.src = address;
    document.head.append(script);
  });
  return loading[address];
}

/** The models of several files, with every {"shared": HASH} in them, of a state or of a buffer's data, filled in from their texts. */
export function join(files) {
  const models = Object.assign({}, ...files.map((file) => file.models));
  const texts = Object.assign({}, ...files.map((file) => file.texts));
  const whole = (value) => texts[value?.shared] ?? value;
  for (const { state, buffers = [] } of Object.values(models)) {
    for (const [trait, value] of Object.entries(state)) state[trait] = whole(value);
    for (const buffer of buffers) buffer.data = whole(buffer.data);
  }
  return models;
}
