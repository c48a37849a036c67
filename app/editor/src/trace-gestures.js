// Mouse, pen and fingers on the timeline: one moves, two zoom, a tap selects, a double click chooses.
import { nearest } from "./trace-model.js";

const TAP_PX = 5; // a pointer that moved less has tapped
const NEAR_PX = 8; // a tap beside a thin span means it
const WHEEL_ZOOM = 0.002;

export function connectPointers(viewer, signal) {
  const { canvas, drawing } = viewer;
  const pointers = new Map(); // id -> where it was last
  let began = null; // where the first one came down

  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const timeAt = (x) => Math.min(Math.max(0, drawing.time(x, viewer.view)), viewer.model.end);
  const perPixel = () => viewer.view.length / (drawing.width - drawing.gutter);

  function down(event) {
    if (event.button !== 0) return;
    const point = at(event);
    pointers.set(event.pointerId, point);
    if (pointers.size > 1) {
      began = null;
      return;
    }
    const onRuler = event.currentTarget !== canvas;
    began = { ...point, measures: onRuler || event.shiftKey || viewer.isMeasuring };
    event.currentTarget.setPointerCapture(event.pointerId);
    if (began.measures) viewer.setMeasure({ a: timeAt(point.x), b: null });
  }

  function move(event) {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const now = at(event);
    if (pointers.size === 2) pinch(event.pointerId, before, now);
    else if (began?.measures) viewer.setMeasure({ b: timeAt(now.x) });
    else viewer.view.move((before.x - now.x) * perPixel());
    pointers.set(event.pointerId, now);
    viewer.draw();
  }

  function pinch(id, before, now) {
    const [other] = [...pointers].filter(([key]) => key !== id).map(([, point]) => point);
    const apart = (point) => Math.max(10, Math.abs(point.x - other.x));
    viewer.view.zoom(apart(before) / apart(now), timeAt((now.x + other.x) / 2));
  }

  function up(event) {
    const point = at(event);
    const isTap = began && Math.hypot(point.x - began.x, point.y - began.y) < TAP_PX;
    pointers.delete(event.pointerId);
    if (!isTap || event.type === "pointercancel" || event.currentTarget !== canvas) return;
    if (!began.measures) tapped(point);
    else if (!event.shiftKey) viewer.setMeasure({ a: null, b: null });
  }

  function tapped({ x, y }) {
    const line = drawing.lineAt(y);
    if (line && !line.row) {
      viewer.querySelector(`[data-rank="${line.rank}"]`).click();
      return;
    }
    const span = line && nearest(line.row, timeAt(x));
    if (!span) return;
    const near = NEAR_PX * perPixel();
    if (timeAt(x) > span.start - near && timeAt(x) < span.end + near) viewer.select(span);
  }

  function wheel(event) {
    const isSideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
    if (event.ctrlKey || event.metaKey) {
      viewer.view.zoom(Math.exp(event.deltaY * WHEEL_ZOOM), timeAt(at(event).x));
    } else if (isSideways) {
      viewer.view.move((event.deltaX || event.deltaY) * perPixel());
    } else {
      return; // up and down scrolls the rows
    }
    event.preventDefault();
    viewer.draw();
  }

  for (const element of [canvas, drawing.ruler]) {
    element.addEventListener("pointerdown", down, { signal });
    element.addEventListener("pointermove", move, { signal });
    element.addEventListener("pointerup", up, { signal });
    element.addEventListener("pointercancel", up, { signal });
    element.addEventListener("wheel", wheel, { signal, passive: false });
  }
  canvas.addEventListener("dblclick", () => viewer.chooseSelected(), { signal });
}
