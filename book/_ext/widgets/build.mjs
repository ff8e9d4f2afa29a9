// Bundles what the site's pages run: the widgets (ipywidgets' controls, anywidget's own JavaScript, a static manager)
// and the formulas (MathJax).
// Usage: node build.mjs ANYWIDGET_PACKAGE OUTPUT_FOLDER
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import esbuild from 'esbuild';

const here = path.dirname(fileURLToPath(import.meta.url));
const [anywidgetPackage, outputFolder] = process.argv.slice(2);

/** anywidget gives a model up that is not ready after 2 s, which on a slow phone none may be: let it take a minute. */
function waitLonger(source) {
  const patient = source.replace('AbortSignal.timeout(2e3)', 'AbortSignal.timeout(6e4)');
  if (patient === source) throw new Error('anywidget no longer gives up after 2 s: look at its Runtime and drop or mend waitLonger().');
  return patient;
}

/** anywidget ships an AMD module, `define([…], factory)`: hand its factory out as an ES module. */
const anywidget = {
  name: 'anywidget',
  setup(build) {
    build.onResolve({ filter: /^anywidget$/ }, () => ({ path: 'anywidget', namespace: 'wheel' }));
    build.onLoad({ filter: /.*/, namespace: 'wheel' }, () => {
      const source = waitLonger(fs.readFileSync(path.join(anywidgetPackage, 'nbextension', 'index.js'), 'utf8'));
      return { contents: `let factory;\nconst define = (_, given) => { factory = given; };\n${source}\nexport default factory;` };
    });
  },
};

/** Lumino's packages come as one file each, from which nothing falls away; of their sources only what widgets use is bundled. */
const lumino = {
  name: 'lumino',
  setup(build) {
    const modules = path.join(here, '..', '..', '..', 'node_modules');
    const source = (file) => ({ path: file, sideEffects: false });
    build.onResolve({ filter: /^@lumino\/[a-z]+$/ }, ({ path: name }) => source(path.join(modules, name, 'src', 'index.ts')));
    build.onResolve({ filter: /^\.\.?\// }, ({ path: name, resolveDir }) =>
      /@lumino[/\\]\w+[/\\]src$/.test(resolveDir) ? source(path.join(resolveDir, `${name}.ts`)) : undefined);
  },
};

await esbuild.build({
  entryPoints: { widgets: path.join(here, 'manager.js'), formulas: path.join(here, 'formulas.js') },
  outdir: outputFolder,
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2022',
  tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } }, // as Lumino compiles its sources
  legalComments: 'eof',
  // The slim jQuery has all but requests and animations, which widgets do without.
  alias: { 'sanitize-html': path.join(here, 'escape_html.js'), jquery: 'jquery/dist/jquery.slim.js' },
  plugins: [anywidget, lumino],
  logLevel: 'warning',
});
