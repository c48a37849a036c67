// Mathematics and code inside running text: elements marked data-rich.
import katex from "katex";
import { highlightElement } from "./code.js";

export function enrich(root) {
  for (const element of root.querySelectorAll("[data-rich]")) {
    element.removeAttribute("data-rich");
    for (const math of element.querySelectorAll(".math")) {
      // Builds nodes and sets styles on them: no style attribute that the policy would refuse.
      katex.render(math.textContent, math, {
        displayMode: math.classList.contains("math-display"),
        throwOnError: false,
        trust: false,
      });
    }
    const codes = element.matches("code") ? [element] : element.querySelectorAll("pre code");
    for (const code of codes) {
      const language = code.className.match(/language-(\w+)/)?.[1];
      if (language) highlightElement(code, language);
    }
  }
}
