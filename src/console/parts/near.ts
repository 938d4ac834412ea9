/** What is to be done when an element comes near the visible part of the page, or leaves it. */
type OnChange = (isNear: boolean) => void;

const listeners = new WeakMap<Element, OnChange>();

/** One for all: each of its reports costs a turn of the page. A screen above and below counts as near. */
const observer = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) listeners.get(target)?.(isIntersecting);
  },
  { rootMargin: "100% 0px" },
);

/** Watches an element until the returned function is called. */
export function watchNear(element: Element, onChange: OnChange): () => void {
  listeners.set(element, onChange);
  observer.observe(element);
  return () => {
    observer.unobserve(element);
    listeners.delete(element);
  };
}
