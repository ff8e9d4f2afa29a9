// A figure that the page shows much smaller than it was drawn, as on a phone, opens at full size: by a tap on it, or by the button under it.
// There it scrolls both ways; Esc, a tap or Enter closes it. Without this script it stays as it is.
const SMALL = 0.8;                                                    // of its full width, where the labels are 9 pt

const fullWidth = (image) => Number(image.getAttribute("width")) || image.naturalWidth;

function namedButton(text, name) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = name;
  button.textContent = text;
  return button;
}

function showAtFullSize(image) {
  const dialog = document.createElement("dialog"), copy = document.createElement("img");
  dialog.className = "vae-full-size";
  dialog.setAttribute("aria-label", "Figure at full size");
  [copy.src, copy.alt, copy.width] = [image.src, image.alt, fullWidth(image)];
  dialog.append(namedButton("Close", "vae-close"), copy);
  dialog.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

const sizes = new ResizeObserver((changes) => changes.forEach(({ target }) => {
  target.nextElementSibling.hidden = target.clientWidth >= SMALL * fullWidth(target);
}));

for (const image of document.querySelectorAll("main article img")) {
  if (image.closest("a, .widget-subarea")) continue;
  const button = namedButton("Enlarge figure", "vae-enlarge");
  button.hidden = true;
  image.after(button);
  button.addEventListener("click", () => showAtFullSize(image));
  image.addEventListener("click", () => { if (!button.hidden) showAtFullSize(image); });
  sizes.observe(image);
}
