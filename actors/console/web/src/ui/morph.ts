// Changes what is shown into what should be shown, element by element: focus, selection and scrolling survive.

function sameKind(a: Node, b: Node): boolean {
  return a.nodeType === b.nodeType && a.nodeName === b.nodeName;
}

function takeAttributes(from: Element, to: Element): void {
  for (const { name } of [...to.attributes]) if (!from.hasAttribute(name)) to.removeAttribute(name);
  for (const { name, value } of from.attributes) if (to.getAttribute(name) !== value) to.setAttribute(name, value);
}

function morphNode(from: Node, to: Node): void {
  if (to instanceof Element && from instanceof Element) {
    takeAttributes(from, to);
    morphChildren(from, to);
  } else if (to.nodeValue !== from.nodeValue) to.nodeValue = from.nodeValue;
}

function morphChildren(from: Node, to: Node): void {
  const wanted = [...from.childNodes];
  const there = [...to.childNodes];
  for (const [i, child] of wanted.entries()) {
    const old = there[i];
    if (!old) to.appendChild(child);
    else if (sameKind(child, old)) morphNode(child, old);
    else to.replaceChild(child, old);
  }
  for (const old of there.slice(wanted.length)) old.remove();
}

/** Makes `content` the only child of `element`. Only for content without listeners: those of the old stay. */
export function morphInto(element: Element, content: Node): void {
  const wanted = document.createElement('div');
  wanted.append(content);
  morphChildren(wanted, element);
}
