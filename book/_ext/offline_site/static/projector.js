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

const sessionPage = document.getElementById("session-page");
if (sessionPage) {
  const wide = matchMedia("screen and (min-width: 960px)");
  const fitNew = () => {
    if (!wide.matches) return;
    for (const el of sessionPage.querySelectorAll(".widget-subarea:not([data-fits]) .vae-explorer[data-ready=true]")) {
      fitExplorer(el.closest(".widget-subarea"), el.closest("section"), 2 * innerHeight - 8);
    }
  };
  const fitAgain = () => {
    sessionPage.classList.toggle("vae-projector", wide.matches);
    sessionPage.toggleAttribute("data-set", location.hash.includes("="));
    for (const area of sessionPage.querySelectorAll(".widget-subarea[data-fits]")) {
      delete area.dataset.fits;
      scales.delete(area);
      area.style.transform = area.style.width = area.style.marginBottom = "";
    }
    fitNew();
  };
  let waiting = 0, width = sessionPage.clientWidth;
  const fitLater = () => {
    clearTimeout(waiting);
    waiting = setTimeout(fitAgain, 300);                              // a window is dragged through many sizes
  };
  if (wide.matches) document.getElementById("pst-primary-sidebar")?.classList.add("pst-sidebar-hidden"); // its button brings it back
  fitAgain();
  addEventListener("resize", fitLater);
  wide.addEventListener("change", fitAgain);                          // for paper, too, which waits for nobody
  addEventListener("keydown", (event) => {                            // a presenter's remote control sends these two keys
    const down = event.key === "PageDown";
    if (!wide.matches || !(down || event.key === "PageUp") || event.target.closest(".widget-subarea")) return;
    const screens = [...sessionPage.querySelectorAll(":scope > section > :is(h2, p + p)")];
    const there = (screen) => Math.round(screen.getBoundingClientRect().top);
    const next = down ? screens.find((screen) => there(screen) > 1) : screens.findLast((screen) => there(screen) < -1);
    if (!next) return;                                                // before the first and after the last the browser scrolls
    event.preventDefault();
    next.scrollIntoView({ behavior: "instant" });
  });
  new ResizeObserver(() => {
    if (sessionPage.clientWidth !== width) fitLater();
    width = sessionPage.clientWidth;
  }).observe(sessionPage);
  new MutationObserver(fitNew).observe(sessionPage, { subtree: true, childList: true, attributeFilter: ["data-ready"] });
}
