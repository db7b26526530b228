// Elements, made without markup in strings: what the node says can never become part of the page's structure.

type Child = Node | string | number | undefined | null | false | Child[];
type Attributes = Record<string, string | number | boolean | undefined | ((event: never) => void)>;

function set(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name.replace(/^on/, ''), value as unknown as EventListener);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
}

function fill(element: Element, children: Child[]): void {
  for (const child of children) {
    if (Array.isArray(child)) fill(element, child);
    else if (child !== undefined && child !== null && child !== false)
      element.append(child instanceof Node ? child : String(child));
  }
}

export function h<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  set(element, attributes);
  fill(element, children);
  return element;
}

export function svg<K extends keyof SVGElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  set(element, attributes);
  fill(element, children);
  return element;
}

/** Changes the text only where it differs, so that a selection survives and nothing is laid out anew. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function setClass(element: Element, name: string, on: boolean): void {
  if (element.classList.contains(name) !== on) element.classList.toggle(name, on);
}

export function replace(element: Element, ...children: Child[]): void {
  element.replaceChildren();
  fill(element, children);
}
