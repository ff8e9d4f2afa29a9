"""How small the letters are that a class sees, on a slide or on the session page: in the page's text and in what canvases draw."""

from __future__ import annotations

HEIGHT = 720  # of a slide, in its own pixels, and of the smallest projector
READABLE = HEIGHT / 55  # in an explorer: a picture two metres high then has letters of nearly four centimetres
TEXT = HEIGHT / 36  # elsewhere
# For a page's start: each canvas remembers the smallest letters drawn on it since it was cleared, in its own pixels, those of a layer that
# was copied to it included; a copy lower than a line of text is the mark of a point, not something to read.
WATCH_CANVASES = """{
    const drawn = CanvasRenderingContext2D.prototype, least = new WeakMap();
    const note = (canvas, size) => least.set(canvas, Math.min(size, least.get(canvas) ?? Infinity));
    const before = (name, look) => {
        const own = drawn[name];
        drawn[name] = function (...given) { look(this, ...given); return own.apply(this, given); };
    };
    for (const name of ['fillText', 'strokeText'])
        before(name, (context, text) => { if (String(text).trim()) note(context.canvas, Number(/([\\d.]+)px/.exec(context.font)[1])); });
    before('drawImage', (context, source) => { if (least.has(source) && source.height > 40) note(context.canvas, least.get(source)); });
    before('clearRect', (context) => least.delete(context.canvas));
    globalThis.lettersOn = (canvas) => least.get(canvas) ?? Infinity;
}"""
# The least size of letters as shown, in an explorer or outside; subscripts and what only screen readers see left out.
SMALL_PRINT = """(place, inside) => {
    const sizes = [Infinity], scale = place.getBoundingClientRect().width / place.offsetWidth;
    for (const holder of place.querySelectorAll(inside ? '.widget-subarea *' : ':scope > .jp-Cell *')) {
        const written = [...holder.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
        const isText = written || holder.localName === 'mjx-c', isCanvas = inside && holder.localName === 'canvas';
        if (!(isText || isCanvas) || !holder.offsetHeight || !!holder.closest('.widget-subarea') !== inside) continue;
        if (holder.closest('sub, mjx-script, script, style, select, .vae-live, mjx-assistive-mml')) continue;
        const zoom = holder.getBoundingClientRect().height / holder.offsetHeight / scale;
        sizes.push((isCanvas ? lettersOn(holder) : parseFloat(getComputedStyle(holder).fontSize)) * zoom);
    }
    return Math.min(...sizes);
}"""
