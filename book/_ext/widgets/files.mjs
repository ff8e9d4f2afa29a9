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

async function inflate(text) {
  const characters = atob(text), deflated = new Uint8Array(characters.length);
  for (let i = 0; i < deflated.length; i++) deflated[i] = characters.charCodeAt(i);
  const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new DataView(await new Response(stream).arrayBuffer());
}

/** The models of several files, with every {"shared": HASH} in them filled in from their texts, and deflated bytes where they belong. */
export async function join(files) {
  const models = Object.assign({}, ...files.map((file) => file.models));
  const texts = Object.assign({}, ...files.map((file) => file.texts));
  const whole = (value) => texts[value?.shared] ?? value;
  await Promise.all(Object.values(models).map(async (model) => {
    for (const [trait, value] of Object.entries(model.state)) model.state[trait] = whole(value);
    for (const buffer of model.buffers) buffer.data = whole(buffer.data);
    for (const { path, data } of model.buffers.filter(({ encoding }) => encoding === 'deflate')) {
      const [last, ...way] = [...path].reverse();
      const holder = way.reduceRight((inner, key) => inner[key], model.state);
      holder[last] = await inflate(data);
    }
    model.buffers = model.buffers.filter(({ encoding }) => encoding !== 'deflate'); // ipywidgets decodes what is left
  }));
  return models;
}
