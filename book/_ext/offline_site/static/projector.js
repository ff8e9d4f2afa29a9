// For a projector an explorer is as large as its place lets it be; projector.css lays it wide. The slides of the deck are such places, and
// so are the sections of the session page: a screen for the question, another one for its explorer.
// It is transformed and not zoomed: browsers disagree about what a zoomed element answers when it is asked where it lies.
const WIDTH = 1280;                                                   // of a place where 1.7 is the largest scale, or what the explorer says
const fitting = new WeakSet();
const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
const scales = new WeakMap();                                         // area → its scale
const heights = new ResizeObserver((changes) => changes.forEach(({ target }) => {
  target.style.marginBottom = `${((scales.get(target) ?? 1) - 1) * target.offsetHeight}px`; // room for what is seen, not for what was laid out
}));

// Scales the explorer in `area` until its foot is just above `limit`, in pixels of its place below the place's top.
globalThis.fitExplorer = async (area, place, limit) => {
  if (fitting.has(area)) return;
  fitting.add(area);
  heights.observe(area);
  const slide = place.getBoundingClientRect().width / place.offsetWidth; // slides are scaled as a whole
  const foot = () => (area.getBoundingClientRect().bottom - place.getBoundingClientRect().top) / slide;
  const largest = Number(getComputedStyle(area.querySelector(".vae-explorer")).getPropertyValue("--largest-scale")) || 1.7;
  const tried = async (scale) => {
    scales.set(area, scale);
    area.style.transform = `scale(${scale})`;
    area.style.width = `${100 / scale}%`;
    await frame();
    return foot() <= limit;
  };
  let fits = 0.3, over = largest * place.offsetWidth / WIDTH;
  if (!await tried(over)) {
    while (over - fits > 0.005) {
      const middle = (fits + over) / 2;
      if (await tried(middle)) fits = middle;
      else over = middle;
    }
    await tried(fits);
  }
  area.dataset.fits = "true";
  fitting.delete(area);
};

// Page Up and Page Down, which a presenter's remote control sends, call turn(±1) even where a slider has the focus and would move by ten
// steps; turn says whether there was somewhere to go.
globalThis.onPageKeys = (turn) => addEventListener("keydown", (event) => {
  const step = { PageDown: 1, PageUp: -1 }[event.key], { target } = event;
  if (!step || event.ctrlKey || event.altKey || event.metaKey || target.closest?.("select, input") || !turn(step)) return;
  event.preventDefault();
  event.stopPropagation();
  document.activeElement?.blur();
}, { capture: true });

const sessionPage = document.getElementById("session-page");
if (sessionPage) {
  const wide = matchMedia(document.querySelector('link[href*="projector.css"]').media);
  const screens = [...sessionPage.querySelectorAll(":scope > section > :is(h2, p + p)")];
  const top = (screen) => Math.round(screen.getBoundingClientRect().top);
  const show = (screen) => screen?.scrollIntoView({ behavior: "instant" });
  const fitNew = () => {
    if (!wide.matches) return;
    for (const el of sessionPage.querySelectorAll(".widget-subarea:not([data-fits]) .vae-explorer[data-ready=true]")) {
      fitExplorer(el.closest(".widget-subarea"), el.closest("section"), 2 * innerHeight - 8);
    }
  };
  let waiting = 0, width = sessionPage.clientWidth, shown = null;
  const fitAgain = () => {
    waiting = 0;
    for (const area of sessionPage.querySelectorAll(".widget-subarea[data-fits]")) {
      delete area.dataset.fits;
      scales.delete(area);
      area.style.transform = area.style.width = area.style.marginBottom = "";
    }
    if (wide.matches) show(shown);                                    // screens are as high as the window: the one that was there is elsewhere
    fitNew();
  };
  const fitLater = () => {
    clearTimeout(waiting);
    waiting = setTimeout(fitAgain, 300);                              // a window is dragged through many sizes
  };
  document.getElementById("pst-primary-sidebar")?.classList.toggle("pst-sidebar-hidden", wide.matches); // its button brings it back
  if (document.documentElement.hasAttribute("data-set")) show(document.getElementById(location.hash.slice(1).split("&")[0]));
  document.documentElement.dataset.placed = "";
  fitNew();
  addEventListener("scroll", () => {
    if (!waiting) shown = screens.find((screen) => Math.abs(top(screen)) < 0.2 * innerHeight) ?? null;
  });
  addEventListener("resize", fitLater);
  new ResizeObserver(() => {
    if (sessionPage.clientWidth !== width) fitLater();
    width = sessionPage.clientWidth;
  }).observe(sessionPage);
  new MutationObserver(fitNew).observe(sessionPage, { subtree: true, childList: true, attributeFilter: ["data-ready"] });
  const turn = (step) => {                                            // before the first and after the last screen the browser scrolls
    const next = step > 0 ? screens.find((screen) => top(screen) > 1) : screens.findLast((screen) => top(screen) < -1);
    if (!wide.matches || !next) return false;
    show(next);
    return true;
  };
  onPageKeys(turn);
  const takesSpace = "button, a, summary, select, input, [tabindex], [contenteditable]";
  addEventListener("keydown", (event) => {                            // the space bar, too, where it does not press or write anything
    if (event.key !== " " || event.target.closest(takesSpace) || !turn(event.shiftKey ? -1 : 1)) return;
    event.preventDefault();
  });
}
