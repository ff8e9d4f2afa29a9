// Paper is light, whatever the theme, and asides stand open on it; solutions and answers stay folded, and are not printed.
const page = document.documentElement;
const KEPT = /^(?:Solution|Answer|What you want to read|For the teacher)/;
let shown, opened = [];
addEventListener("beforeprint", () => {
  shown ??= page.dataset.theme;
  if (page.dataset.theme !== "light") page.dataset.theme = "light"; // to set it anew would have every explorer drawn again
  for (const aside of document.querySelectorAll(".bd-article details:not([open], .hide)")) {
    if (KEPT.test(aside.querySelector("summary").textContent.trim())) continue;
    aside.open = true;
    opened.push(aside);
  }
});
addEventListener("afterprint", () => {
  if (shown) page.dataset.theme = shown;
  for (const aside of opened) aside.open = false;
  shown = undefined;
  opened = [];
});
