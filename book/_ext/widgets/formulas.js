// The site's MathJax: TeX to HTML with the few packages that the book writes in, and MathML for screen readers.
// Sphinx and widgets mark what is a formula with the class "math"; an unknown command is an error in the console.
import { AssistiveMmlHandler } from 'mathjax-full/js/a11y/assistive-mml.js';
import { browserAdaptor } from 'mathjax-full/js/adaptors/browserAdaptor.js';
import { RegisterHTMLHandler } from 'mathjax-full/js/handlers/html.js';
import { TeX } from 'mathjax-full/js/input/tex.js';
import 'mathjax-full/js/input/tex/ams/AmsConfiguration.js';
import 'mathjax-full/js/input/tex/base/BaseConfiguration.js';
import 'mathjax-full/js/input/tex/boldsymbol/BoldsymbolConfiguration.js';
import 'mathjax-full/js/input/tex/color/ColorConfiguration.js';
import 'mathjax-full/js/input/tex/newcommand/NewcommandConfiguration.js';
import { mathjax } from 'mathjax-full/js/mathjax.js';
import { CHTML } from 'mathjax-full/js/output/chtml.js';

const FORMULAS = '.math';

function formatError(jax, error) {
  console.error(`TeX: ${error.message}`);
  return jax.formatError(error);
}

AssistiveMmlHandler(RegisterHTMLHandler(browserAdaptor()));
const formulas = mathjax.document(document, {
  InputJax: new TeX({ packages: ['base', 'ams', 'boldsymbol', 'color', 'newcommand'], formatError }),
  OutputJax: new CHTML({ fontURL: new URL('fonts', document.currentScript.src).href }),
});

// A formula that is wider than the page is written smaller, down to SMALLEST of its size. What is wider still scrolls on its own:
// the keyboard must be able to reach it, then and only then. All are measured between two rounds of writing: one layout, not one each.
const SMALLEST = 0.6;
const sizes = new WeakMap(); // per cent, as MathJax chose them
function sizeOf(formula) {
  if (!sizes.has(formula)) sizes.set(formula, Number.parseFloat(formula.style.fontSize) || 100);
  return sizes.get(formula);
}
const reach = new ResizeObserver((sized) => {
  const shown = sized.map(({ target }) => target);
  for (const formula of shown) formula.style.fontSize = `${sizeOf(formula)}%`;
  const shares = shown.map((formula) => (formula.clientWidth ? (formula.clientWidth - 1) / formula.scrollWidth : 1)); // 1: folded away
  shown.forEach((formula, index) => {
    if (shares[index] < 1) formula.style.fontSize = `${sizeOf(formula) * Math.max(SMALLEST, shares[index])}%`;
    if (shares[index] < SMALLEST) formula.tabIndex = 0;
    else formula.removeAttribute('tabindex');
  });
});

/** Typesets the formulas in these elements; widgets call it for labels that they draw later. */
window.typesetFormulas = (elements) => {
  formulas.options.elements = elements;
  formulas.reset().render();
  for (const element of elements) element.querySelectorAll('mjx-container[display="true"]').forEach((formula) => reach.observe(formula));
};

// A page's own formulas come in slices, so that a slider which the reader has found meanwhile can be moved between them.
const SLICE = 12;
const all = [...document.querySelectorAll(FORMULAS)];
async function typesetPage() {
  for (let done = 0; done < all.length; done += SLICE) {
    window.typesetFormulas(all.slice(done, done + SLICE));
    await new Promise((resolve) => setTimeout(resolve));
  }
  document.documentElement.dataset.formulasReady = 'true';
  window.dispatchEvent(new Event('formulaswritten'));
}

typesetPage();
