// Deep links of a page with explorers, such as #two-maps&z1=1.2&z2=-0.5: a heading's id, then what the explorers read when they start.
// A browser knows no place of that name, and an explorer does not read twice: so scroll there, and start again at another link.
const settings = () => location.hash.includes("=");

function place() {
  try {
    return document.getElementById(decodeURIComponent(location.hash.slice(1).split("&")[0]));
  } catch {                                                           // a % that encodes nothing
    return null;
  }
}

function goThere() {
  if (settings()) place()?.scrollIntoView({ behavior: "instant" });
}

if (settings() && place()) history.scrollRestoration = "manual";      // after a reload the link says where to be
goThere();
addEventListener("load", goThere);                                    // pictures and explorers above have their height now
addEventListener("hashchange", () => { if (settings()) location.reload(); });
