/** What must not leave in clear: texts under names such as `authorization`, and credentials in addresses and errors. */

export const redacted = "<redacted>"

/** Names that are redacted whatever the options say, in lower case. */
export const defaultNames: ReadonlyArray<string> = [
  "authorization",
  "cookie",
  "set-cookie",
  "x-api-key",
  "proxy-authorization"
]

/** Fields and attributes that hold an address. */
const addressNames: ReadonlySet<string> = new Set([
  "url",
  "url.full",
  "url.query",
  "http.url",
  "http.target",
  "uri",
  "href"
])

/** Fields whose kind depends on what they are beside, or on their value. */
const otherNames: ReadonlyArray<string> = ["value", "rawheaders", "urlparams"]

/** Query parameters that are keys, in lower case and without `-` and `_`. */
const secretParameters: ReadonlySet<string> = new Set([
  "key",
  "apikey",
  "xapikey",
  "subscriptionkey",
  "token",
  "accesstoken",
  "authtoken",
  "refreshtoken",
  "idtoken",
  "sessiontoken",
  "auth",
  "authorization",
  "clientsecret",
  "secret",
  "secretkey",
  "password",
  "passwd",
  "pwd",
  "signature",
  "sig",
  "awsaccesskeyid",
  "xamzsignature",
  "xamzcredential",
  "xamzsecuritytoken",
  "xgoogsignature",
  "xgoogcredential"
])

/** What the texts under a key are. */
export type Kind = "text" | "secret" | "address"

/** Which keys matter, told quickly for the many that do not. */
export class Keys {
  readonly names: ReadonlySet<string>
  /** Bits for the lengths and first letters of names; all of them where the set takes more names than it lists. */
  private lengths = 0
  private letters = 0

  constructor(names: ReadonlySet<string>) {
    this.names = names
    if (names.has !== Set.prototype.has) this.lengths = this.letters = -1
    for (const name of [...addressNames, ...otherNames, ...names]) {
      this.lengths |= 1 << (name.length & 31)
      this.letters |= 1 << (name.charCodeAt(0) & 31)
    }
  }

  /** `false`: a key like any other. */
  isSpecial(key: string): boolean {
    const first = key.charCodeAt(0)
    // The lower five bits of a letter are the same in both cases.
    return (this.lengths >> (key.length & 31) & this.letters >> (first & 31) & 1) !== 0 || first === 0x7e
  }

  kindOf(key: string): Kind {
    return kindOf(key, this.names)
  }
}

const kindOf = (key: string, names: ReadonlySet<string>): Kind => {
  if (key.length > 200) return "text"
  const name = key.toLowerCase()
  return names.has(name) ? "secret" : addressNames.has(name) ? "address" : "text"
}

let last = new Keys(new Set(defaultNames))

/** Nearly all values of a program are handed over with the same names. */
export const keysOf = (names: ReadonlySet<string>): Keys => last.names === names ? last : last = new Keys(names)

// ---------------------------------------------------------------------------------------------------------------------
// Addresses. Plain loops: a text may be long and is the program's, and an expression that goes back over it would not end.
// ---------------------------------------------------------------------------------------------------------------------

/** An address without user, password and keys among its parameters. */
export const cleanAddress = (text: string): string => {
  if (!text.includes("@") && !text.includes("=")) return text
  const start = text.indexOf("://")
  const authority = start >= 0 ? start + 3 : text.startsWith("//") ? 2 : -1
  return cleanFrom(text, authority < 0 ? 0 : authority, text.length, authority >= 0)
}

/** A text, such as an error's message, with all the addresses in it without credentials. */
export const cleanText = (text: string): string => cleanScheme(cleanAddresses(text))

const cleanAddresses = (text: string): string => {
  let out = ""
  let from = 0
  for (let at = text.indexOf("://"); at >= 0; at = text.indexOf("://", from)) {
    const end = endOf(text, at + 3)
    out += text.slice(from, at + 3) + cleanFrom(text.slice(at + 3, end), 0, end - at - 3, true)
    from = end
  }
  return from === 0 ? text : out + text.slice(from)
}

/** Where an address in a text ends: at white space, a quote or a closing bracket. */
const endOf = (text: string, from: number): number => {
  let end = from
  while (end < text.length) {
    const code = text.charCodeAt(end)
    if (code <= 0x20 || code === 0x22 || code === 0x27 || code === 0x60 || code === 0x3c || code === 0x3e) break
    end++
  }
  return end
}

const isEnd = (code: number): boolean => code === 0x2f || code === 0x3f || code === 0x23 || code === 0x5c

/** What is from `start` on, without a user (if it begins with one) and without keys among the parameters. */
const cleanFrom = (text: string, start: number, end: number, hasAuthority: boolean): string => {
  let out = text.slice(0, start)
  let at = start
  if (hasAuthority) {
    let host = start
    let stop = start
    for (; stop < end && !isEnd(text.charCodeAt(stop)); stop++) if (text.charCodeAt(stop) === 0x40) host = stop
    if (host > start) out += redacted
    out += text.slice(host, stop)
    at = stop
  }
  return out + cleanParameters(text.slice(at, end))
}

export const cleanParameters = (text: string): string => {
  if (!text.includes("=")) return text
  let out = ""
  let from = 0
  for (let equals = text.indexOf("="); equals >= 0; equals = text.indexOf("=", from)) {
    let name = equals
    while (name > from && !isSeparator(text.charCodeAt(name - 1))) name--
    let stop = equals + 1
    while (stop < text.length && !isSeparator(text.charCodeAt(stop))) stop++
    const isSecret = stop > equals + 1 && isSecretParameter(text.slice(name, equals))
    out += text.slice(from, equals + 1) + (isSecret ? redacted : text.slice(equals + 1, stop))
    from = stop
  }
  return out + text.slice(from)
}

/** `?`, `#`, `&` and `;`. */
const isSeparator = (code: number): boolean => code === 0x3f || code === 0x23 || code === 0x26 || code === 0x3b

/** Whether the query parameter of this name is a key. */
export const isSecretParameter = (name: unknown): boolean =>
  typeof name === "string" && name.length < 40 && secretParameters.has(name.toLowerCase().replace(/[-_]|%5f|%2d/g, ""))

/** `Bearer` and `Basic` with what looks like a key and not like the next word. */
const scheme = /\b(bearer|basic) +(?=\S{0,200}[\d\-_.=])[\w.~+/=-]{6,}/gi

const cleanScheme = (text: string): string => text.replace(scheme, `$1 ${redacted}`)

// ---------------------------------------------------------------------------------------------------------------------

const headerName = /^http\.(?:request|response)\.header\.(.+)$/

/** `Array.isArray` throws for a proxy that was revoked. */
const isList = (value: unknown): value is ReadonlyArray<unknown> => {
  try {
    return Array.isArray(value)
  } catch {
    return false
  }
}

/** An attribute of a span by other instrumentation: header fields follow the list of names, addresses lose credentials. */
export const redactedAttribute = (name: string, value: unknown, names: ReadonlySet<string>): unknown => {
  if (typeof value !== "string" && !isList(value)) return value
  const header = name.startsWith("http.re") ? headerName.exec(name)?.[1] : undefined
  if (header !== undefined) {
    const isSecret = kindOf(header, names) === "secret" || kindOf(header.replaceAll("_", "-"), names) === "secret"
    return isSecret ? redacted : value
  }
  if (name === "exception.message" || name === "error.message") {
    return typeof value === "string"
      ? cleanText(value)
      : value
  }
  switch (kindOf(name, names)) {
    case "text":
      return value
    case "secret":
      return typeof value === "string" || value.every((item) => typeof item === "string") ? redacted : value
    case "address":
      return typeof value === "string"
        ? cleanAddress(value)
        : value.map((item: unknown) => typeof item === "string" ? cleanAddress(item) : item)
  }
}
