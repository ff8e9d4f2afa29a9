// ipywidgets typesets a label through `MathJax.Hub.Queue`, which MathJax 3 no longer has, and may do so before MathJax
// has loaded. This puts a Hub in its place that waits for MathJax 3.

const DOLLARS = /\$([^$]+)\$/g;

function typeset(element) {
  if (!element.textContent.match(DOLLARS)) return;
  element.textContent = element.textContent.replace(DOLLARS, '\\($1\\)');
  element.classList.add('mathjax_process');
  afterLoading(() => window.MathJax.startup.promise.then(() => window.MathJax.typesetPromise([element])));
}

function afterLoading(action) {
  if (document.readyState === 'complete') action();
  else addEventListener('load', action, { once: true });
}

/** Installs the Hub now, for labels drawn before MathJax is there, and once more on the object MathJax puts in place. */
export function provideHub() {
  if (!window.MathJax) return; // a page without mathematics
  const Hub = { Queue: ([, , element]) => typeset(element) };
  window.MathJax.Hub = Hub;
  afterLoading(() => { window.MathJax.Hub = Hub; });
}
