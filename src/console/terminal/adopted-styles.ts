/**
 * xterm.js makes style elements and writes style attributes. The policy of the pages forbids both, so that nothing that
 * gets into a page can change how it looks. From here on such an element of this page is a style sheet that its program
 * adopts, and such an attribute is set in the way that is left to programs.
 */
export function adoptStyles(): void {
  document.createElement = createElement as typeof document.createElement;
}

const make = Document.prototype.createElement;

function createElement(this: Document, name: string, options?: ElementCreationOptions): HTMLElement {
  if (name === "style") return styleElement(this);
  const element = make.call(this, name, options);
  if (name === "span") element.setAttribute = setAttribute;
  return element;
}

/** An element whose text is a style sheet of the page for as long as the element is there. */
function styleElement(page: Document): HTMLElement {
  // The policy does not allow an empty style element either.
  const element = make.call(page, "template");
  const sheet = new CSSStyleSheet();
  page.adoptedStyleSheets.push(sheet);
  Object.defineProperty(element, "textContent", {
    set: (text: string) => sheet.replaceSync(text),
    get: () => "",
  });
  element.remove = () => {
    page.adoptedStyleSheets = page.adoptedStyleSheets.filter((each) => each !== sheet);
    Element.prototype.remove.call(element);
  };
  return element;
}

function setAttribute(this: HTMLElement, name: string, value: string): void {
  if (name === "style") this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
}
