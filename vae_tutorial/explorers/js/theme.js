// Light or dark: follows the site, JupyterLab or Colab, else the system; colours live in CSS variables.

function currentTheme() {
  const page = document.documentElement;
  const named = page.dataset.theme || page.getAttribute("theme");         // this site; Colab's output frame
  if (named === "dark" || named === "light") return named;
  const jupyter = document.body.dataset.jpThemeLight;                     // JupyterLab
  if (jupyter) return jupyter === "false" ? "dark" : "light";
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

let readings = 0;

// Reads the colours from an element of the page: the explorer's own may not be attached yet.
function readColours(theme) {
  const probe = document.createElement("div");
  probe.className = "vae-explorer";
  probe.dataset.vaeTheme = theme;
  probe.hidden = true;
  document.body.append(probe);
  const style = getComputedStyle(probe);
  const read = (name) => style.getPropertyValue(`--vae-${name}`).trim();
  const colours = { version: readings++, classes: [] };              // a new version redraws what is kept in layers
  for (const name of ["q", "prior", "decoder", "distortion", "posterior", "rate", "elbo", "ink", "soft", "line", "card"]) colours[name] = read(name);
  for (let label = 0; label < 10; label++) colours.classes.push(read(`class-${label}`));
  [colours.paper, colours.pen] = theme === "dark" ? [8, 244] : [255, 16];   // digits are greys between these two
  probe.remove();
  return colours;
}

// Calls onChange(colours) now and whenever the page's theme changes, until the signal aborts.
export function followTheme(root, signal, onChange) {
  const apply = () => {
    root.dataset.vaeTheme = currentTheme();
    onChange(readColours(root.dataset.vaeTheme));
  };
  const applyIfChanged = () => {
    if (root.dataset.vaeTheme !== currentTheme()) apply();
  };
  const observer = new MutationObserver(applyIfChanged);
  for (const element of [document.documentElement, document.body]) {
    observer.observe(element, { attributes: true, attributeFilter: ["data-theme", "theme", "data-jp-theme-light"] });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", applyIfChanged, { signal });
  signal.addEventListener("abort", () => observer.disconnect());
  apply();
}
