import { useLayoutEffect, useRef } from "preact/hooks"
import { longestMarkdown, render } from "../lib/markdown.js"
import { withoutAnsi } from "../model/content.js"
import { LongText } from "./LongText.js"

/** Text as its writer meant it to look. */
export const Markdown = ({ text }: { readonly text: string }) => {
  const place = useRef<HTMLDivElement>(null)
  const isLong = text.length > longestMarkdown
  useLayoutEffect(() => {
    if (!isLong) place.current?.replaceChildren(render(withoutAnsi(text)))
  }, [text, isLong])
  return isLong ? <LongText text={text} /> : <div class="markdown" ref={place} />
}
