// Paper is light: a page in the dark theme is printed in the light one.
const page = document.documentElement;
let shown = page.dataset.theme;
addEventListener("beforeprint", () => {
  shown = page.dataset.theme;
  page.dataset.theme = "light";
});
addEventListener("afterprint", () => { page.dataset.theme = shown; });
