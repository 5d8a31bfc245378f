// Makes elements. Text is only ever text: no string becomes markup.

// h("p", { className: "x" }, "text", element, null): an element with properties and children.
export function h(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes("-") || key === "for" || key === "role") element.setAttribute(key, value);
    else element[key] = value;
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

// A text of the description, in which `words` are code.
export function prose(text) {
  return (text ?? "").split("`").map((part, at) => (at % 2 ? h("code", {}, part) : part));
}

// A block of code that the keyboard can scroll.
export function block(text, name) {
  return h("pre", { tabIndex: 0, role: "group", "aria-label": name }, text);
}

// Details whose content is made when they are first opened.
export function lazy(summary, content, properties = {}) {
  const details = h("details", properties, summary);
  const fill = () => {
    if (details.open) {
      details.removeEventListener("toggle", fill);
      details.append(...[content()].flat());
    }
  };
  details.addEventListener("toggle", fill);
  return details;
}
