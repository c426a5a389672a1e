/**
 * Files in prompts and answers: what they are and where, never their bytes. Langfuse shows a message as a conversation
 * where its parts are texts and images, and as a table of JSON where there is any other: so every other file is a text.
 */
import { cleanAddress } from "../../core/item/redact.js"
import type { Part } from "./messages.js"

/** A file to look at: an image by its address, any other told by name, kind and size. */
export const reference = (mediaType: unknown, fileName: unknown, data: unknown): Part => {
  const kind = typeof mediaType === "string" && mediaType !== "" ? mediaType : "file"
  const url = linkOf(data)
  if (url !== undefined && kind.startsWith("image/")) return { type: "image_url", image_url: { url } }
  const what = typeof fileName === "string" && fileName !== "" ? `${fileName}, ${kind}` : kind
  const size = url ?? sizeOf(data)
  return { type: "text", text: `<${size === undefined ? what : `${what}, ${size}`}>` }
}

const linkOf = (data: unknown): string | undefined => {
  const url = data instanceof URL ? data.href : data
  return typeof url === "string" && url.length <= 4096 && /^(?!data:)[a-z][a-z0-9+.-]*:\/\//i.test(url)
    ? cleanAddress(url)
    : undefined
}

/** What is short is the provider's id of a file that it holds, rather than a file. */
const maxId = 100

const sizeOf = (data: unknown): string | undefined => {
  if (ArrayBuffer.isView(data)) return `${data.byteLength} bytes`
  const text = data instanceof URL ? data.href : data
  if (typeof text !== "string") return undefined
  if (text.length <= maxId && !text.startsWith("data:")) return text
  const comma = text.startsWith("data:") ? text.indexOf(",") + 1 : 0
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0
  return `${Math.max(0, Math.floor((text.length - comma) * 3 / 4) - padding)} bytes`
}
