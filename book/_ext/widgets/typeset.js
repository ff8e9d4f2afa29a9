// ipywidgets typesets a label through MathJax 2's `MathJax.Hub.Queue`. This puts a Hub in its place that hands the label's
// formulas to formulas.js: at once if that has loaded, otherwise by the class that it looks for when it does.

const DOLLARS = /\$([^$]+)\$/g;

function typeset(element) {
  if (!element.textContent.match(DOLLARS)) return;
  element.textContent = element.textContent.replace(DOLLARS, '\\($1\\)');
  element.classList.add('math');
  window.typesetFormulas?.([element]);
}

window.MathJax = { Hub: { Queue: ([, , element]) => typeset(element) } };
