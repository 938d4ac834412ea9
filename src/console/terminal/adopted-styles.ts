/**
 * xterm.js writes style elements and style attributes. The policy of the pages forbids both, so that nothing that gets
 * into a page can change how it looks. Here its elements get a style sheet of their own, and set their style as a
 * program may.
 */
export const documentForTerminals: Document = new Proxy(document, {
  get(target, name) {
    if (name === "createElement") return createElement;
    const value: unknown = Reflect.get(target, name, target);
    return typeof value === "function" ? value.bind(target) : value;
  },
});

/** While it runs, all elements of the page are made like those of `documentForTerminals`: some it makes without asking. */
export function withAdoptedStyles(open: () => void): void {
  document.createElement = createElement as typeof document.createElement;
  try {
    open();
  } finally {
    Reflect.deleteProperty(document, "createElement");
  }
}

const make = Document.prototype.createElement;

function createElement(name: string, options?: ElementCreationOptions): HTMLElement {
  if (name === "style") return styleElement();
  const element = make.call(document, name, options);
  if (name === "span") element.setAttribute = setAttribute;
  return element;
}

/** An element whose text is a style sheet of the page for as long as the element is there. */
function styleElement(): HTMLElement {
  // The policy does not allow an empty style element either.
  const element = make.call(document, "template");
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets.push(sheet);
  Object.defineProperty(element, "textContent", {
    set: (text: string) => sheet.replaceSync(text),
    get: () => "",
  });
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((each) => each !== sheet);
    Element.prototype.remove.call(element);
  };
  return element;
}

function setAttribute(this: HTMLElement, name: string, value: string): void {
  if (name === "style") this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
}
