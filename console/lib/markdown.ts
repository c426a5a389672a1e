/**
 * Markdown of strangers as HTML that can do nothing: no scripts, no styles, no forms, no pictures from elsewhere.
 */
import DOMPurify from "dompurify"
import { Marked } from "marked"

const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\"", "&quot;")

const marked = new Marked({
  gfm: true,
  breaks: true,
  renderer: {
    // Tags in prompts are meant for the model: they are shown, not obeyed.
    html: ({ text }) => escape(text),
    // A picture that would have to be fetched is a link.
    image: ({ href, text }) =>
      href.startsWith("data:")
        ? `<img src="${escape(href)}" alt="${escape(text)}">`
        : `<a href="${escape(href)}">image: ${escape(text === "" ? href : text)}</a>`
  }
})

const allowed = {
  ALLOWED_TAGS: [
    "a",
    "b",
    "blockquote",
    "br",
    "code",
    "del",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "input",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul"
  ],
  ALLOWED_ATTR: ["href", "src", "alt", "title", "checked", "disabled", "type", "start", "align"],
  ALLOWED_URI_REGEXP: /^(https?:|mailto:|data:image\/(png|jpe?g|gif|webp|avif);base64,|#)/i,
  RETURN_DOM_FRAGMENT: true
} as const

/** Links leave the page in a tab that knows nothing of it. */
DOMPurify.addHook("afterSanitizeAttributes", (node) => {
  if (node.nodeName === "A") {
    node.setAttribute("target", "_blank")
    node.setAttribute("rel", "noopener noreferrer nofollow")
  }
  if (node.nodeName === "INPUT" && node.getAttribute("type") !== "checkbox") node.remove()
})

/** Above this many characters text is shown as it is. */
export const longestMarkdown = 100_000

export const render = (text: string): DocumentFragment => {
  try {
    const html = marked.parse(text, { async: false })
    return DOMPurify.sanitize(html, {
      ...allowed,
      ALLOWED_TAGS: [...allowed.ALLOWED_TAGS],
      ALLOWED_ATTR: [...allowed.ALLOWED_ATTR]
    })
  } catch {
    // Markdown that is nested too deeply for the parser.
    const fragment = document.createDocumentFragment()
    fragment.append(text)
    return fragment
  }
}
