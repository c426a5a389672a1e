/**
 * Files in prompts and answers: what they are and where, never their bytes.
 */
import type { Part } from "./messages.js"

/** A file to look at: a link where there is one, else its kind and size. */
export const reference = (mediaType: unknown, fileName: unknown, data: unknown): Part => {
  const url = linkOf(data)
  if (url !== undefined && String(mediaType).startsWith("image/")) {
    return { type: "image_url", image_url: { url } }
  }
  return {
    type: "file",
    media_type: mediaType,
    ...(typeof fileName === "string" ? { file_name: fileName } : {}),
    ...(url === undefined ? { data: sizeOf(mediaType, data) } : { url })
  }
}

const linkOf = (data: unknown): string | undefined => {
  const url = data instanceof URL ? data.href : data
  return typeof url === "string" && url.length <= 4096 && /^(?!data:)[a-z][a-z0-9+.-]*:\/\//i.test(url)
    ? url
    : undefined
}

/** What is short is the provider's id of a file that it holds, rather than a file. */
const maxId = 100

const sizeOf = (mediaType: unknown, data: unknown): string => {
  const kind = typeof mediaType === "string" ? mediaType : "file"
  if (ArrayBuffer.isView(data)) return `<${kind}, ${data.byteLength} bytes>`
  const text = data instanceof URL ? data.href : data
  if (typeof text !== "string") return `<${kind}>`
  if (text.length <= maxId && !text.startsWith("data:")) return text
  const comma = text.startsWith("data:") ? text.indexOf(",") + 1 : 0
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0
  return `<${kind}, ${Math.max(0, Math.floor((text.length - comma) * 3 / 4) - padding)} bytes>`
}
