/** What must not leave in clear: texts under names such as `authorization`, and credentials in addresses and errors. */
import { take } from "./text.js"

export const redacted = "<redacted>"

/** Names that are redacted whatever the options say, in lower case. */
export const defaultNames: ReadonlyArray<string> = [
  "authorization",
  "cookie",
  "set-cookie",
  "x-api-key",
  "proxy-authorization"
]

/** Fields and attributes that hold an address, beside all whose names end in `url` or `uri`. */
const addressNames: ReadonlySet<string> = new Set([
  "url",
  "uri",
  "url.full",
  "url.query",
  "http.target",
  "href",
  "location",
  "referer",
  "referrer",
  "search",
  "connectionstring",
  "connection_string",
  "dsn",
  "endpoint",
  "origin",
  "proxy"
])

/** Fields whose kind depends on what they are beside, or on their value. */
const otherNames: ReadonlyArray<string> = [
  "value",
  "headers",
  "rawheaders",
  "rawtrailers",
  "urlparams",
  "searchparams",
  "querystring",
  "path",
  "auth",
  "password",
  "hash",
  "params",
  "query",
  "qs"
]

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
  "sharedaccesskey",
  "accountkey",
  "awsaccesskeyid",
  "xamzsignature",
  "xamzcredential",
  "xamzsecuritytoken",
  "xgoogsignature",
  "xgoogcredential"
])

/** What the texts under a key are. `said`: what an error says, where addresses stand among words. */
export type Kind = "text" | "secret" | "address" | "said"

/** Which keys matter, told quickly for the many that do not. */
export class Keys {
  readonly names: ReadonlySet<string>
  /** By the length of names, bits for their first letters; all of them where the set takes more names than it lists. */
  private readonly letters: Array<number>

  constructor(names: ReadonlySet<string>) {
    this.names = names
    // No typed array: there this would cost a third of what all of the value does.
    this.letters = new Array<number>(32).fill(names.has === Set.prototype.has ? 0 : -1)
    for (const name of [...addressNames, ...otherNames, ...names]) {
      const length = name.length & 31
      this.letters[length] = (this.letters[length] ?? 0) | 1 << (name.charCodeAt(0) & 31)
    }
  }

  /** `false`: a key like any other. */
  isSpecial(key: string): boolean {
    // The lower five bits of a letter are the same in both cases.
    const first = key.charCodeAt(0)
    if (((this.letters[key.length & 31] ?? 0) >> (first & 31) & 1) !== 0 || first === 0x7e) return true
    // Few other letters have these bits of `l` and `i`, in either case.
    return key.length > 4 && (key.charCodeAt(key.length - 1) & 0xda) === 0x48 && isOfAddress(key)
  }

  kindOf(key: string): Kind {
    return kindOf(key, this.names)
  }
}

/** Whether the name ends in `url` or `uri`, in any case. */
const isOfAddress = (name: string): boolean => {
  const end = name.length - 1
  const last = name.charCodeAt(end) | 0x20
  return (last === 0x6c || last === 0x69) && (name.charCodeAt(end - 1) | 0x20) === 0x72 &&
    (name.charCodeAt(end - 2) | 0x20) === 0x75
}

const kindOf = (key: string, names: ReadonlySet<string>): Kind => {
  if (key.length > 200) return "text"
  const name = key.toLowerCase()
  return names.has(name) ? "secret" : addressNames.has(name) || isOfAddress(name) ? "address" : "text"
}

let last = new Keys(new Set(defaultNames))

/** Nearly all values of a program are handed over with the same names. */
export const keysOf = (names: ReadonlySet<string>): Keys => last.names === names ? last : last = new Keys(names)

// ---------------------------------------------------------------------------------------------------------------------
// Addresses. Plain loops: a text may be long and is the program's, and an expression that goes back over it would not end.
// ---------------------------------------------------------------------------------------------------------------------

/** An address without user, password and keys among its parameters. */
export const cleanAddress = (text: string): string => {
  if (text.startsWith("data:") || (!text.includes("@") && !text.includes("="))) return text
  return cleanPairs(cleanUsers(text.replace(bareUser, redacted), text.startsWith("//") ? 2 : -1), true)
}

/** A text, such as an error's message, with all the addresses in it without credentials. */
export const cleanText = (text: string): string => cleanScheme(cleanPairs(cleanUsers(text, -1), false))

/** The pairs of a query without the values that are keys. */
export const cleanParameters = (text: string): string => cleanPairs(text, true)

/** `user:password` before a host without a scheme; what stands before the colon may be a scheme or a host with its port. */
const bareUser =
  /^(?!(?:mailto|sips?|acct|xmpp|im|npm|jsr|git|pkg|urn|did|cid|mid):)[^\s:/?#@<>"]*:(?!\/\/|\d{0,5}(?:[/?#]|$))[^\s<>"]*(?=@)/i

/** Without the users of all addresses; `first` is where an authority begins that has no scheme. */
const cleanUsers = (text: string, first: number): string => {
  if (!text.includes("@")) return text
  let out = ""
  let from = 0
  const mark = text.indexOf("://")
  let start = first >= 0 ? first : mark < 0 ? -1 : mark + 3
  while (start >= 0) {
    const next = text.indexOf("://", start)
    const end = userEnd(text, start, next < 0 ? text.length : next)
    if (end > start) {
      out += text.slice(from, start) + redacted
      from = end
    }
    start = next < 0 ? -1 : next + 3
  }
  return from === 0 ? text : out + text.slice(from)
}

/**
 * The `@` behind the user and password at `start`; -1: there are none. Programs forget to encode passwords: where what stands
 * before the first `/`, `?` or `#` is no host with a port, these are part of one.
 */
const userEnd = (text: string, start: number, limit: number): number => {
  let at = -1
  let colon = -1
  let stop = start
  for (; stop < limit; stop++) {
    const code = text.charCodeAt(stop)
    if (code === 0x40) at = stop
    else if (code === 0x3a && colon < 0) colon = stop
    else if (isSlash(code) || isGap(code) || (at < 0 && (code === 0x3f || code === 0x23))) break
  }
  if (at >= 0 || colon < 0 || text.charCodeAt(start) === 0x5b || isPort(text, colon + 1, stop)) return at
  for (; stop < limit; stop++) {
    const code = text.charCodeAt(stop)
    if (code <= 0x20) break
    if (code === 0x40) at = stop
  }
  return at
}

const isPort = (text: string, from: number, to: number): boolean => {
  for (let i = from; i < to; i++) if (text.charCodeAt(i) < 0x30 || text.charCodeAt(i) > 0x39) return false
  return Number(text.slice(from, to)) <= 65_535
}

const isSlash = (code: number): boolean => code === 0x2f || code === 0x5c

/** White space, `"`, `<` and `>`: no address has them. */
const isGap = (code: number): boolean => code <= 0x20 || code === 0x22 || code === 0x3c || code === 0x3e

/** `?`, `#`, `&` and `;`. */
const isSeparator = (code: number): boolean => code === 0x3f || code === 0x23 || code === 0x26 || code === 0x3b

/** Without the values of `name=value` that are keys. Among words only where a pair is one of a query. */
const cleanPairs = (text: string, isAddress: boolean): string => {
  let out = ""
  let from = 0
  for (let equals = text.indexOf("="); equals >= 0; equals = text.indexOf("=", from)) {
    let name = equals
    while (name > from && !isBreak(text.charCodeAt(name - 1))) name--
    let stop = equals + 1
    while (stop < text.length && !isBreak(text.charCodeAt(stop))) stop++
    const isPair = isAddress || isSeparator(text.charCodeAt(name - 1)) || text.charCodeAt(stop) === 0x26
    const isSecret = isPair && isSecretParameter(text.slice(name, equals))
    // The password of a connection string may have spaces.
    if (isSecret && isAddress) { while (stop < text.length && !isSeparator(text.charCodeAt(stop))) stop++ }
    const value = text.slice(equals + 1, stop)
    out += text.slice(from, equals + 1) + (isSecret && value !== "" ? redacted : cleanEncoded(value))
    from = stop
  }
  return from === 0 ? text : out + text.slice(from)
}

const isBreak = (code: number): boolean => isSeparator(code) || isGap(code)

/** An address that is given, encoded, as a parameter of another one. */
const cleanEncoded = (value: string): string => {
  if (!value.includes("%2F%2F") && !value.includes("%2f%2f")) return value
  try {
    const address = decodeURIComponent(value)
    const clean = cleanAddress(address)
    return clean === address ? value : encodeURIComponent(clean)
  } catch {
    // Not encoded after all.
    return value
  }
}

/** Whether the query parameter of this name is a key. */
export const isSecretParameter = (name: unknown): boolean =>
  typeof name === "string" && name.length < 40 &&
  secretParameters.has(name.toLowerCase().replace(/[-_]|%5f|%2d|\[\]|%5b%5d/g, ""))

/** `Bearer` and `Basic` with what looks like a key and not like the next word. */
const scheme = /\b(bearer|basic) +(?=\S{0,200}[\d\-_.=])[\w.~+/=-]{6,}/gi

const cleanScheme = (text: string): string => text.replace(scheme, `$1 ${redacted}`)

/** Header fields as they are sent, in one text. */
export const cleanHeaders = (text: string, keys: Keys): string =>
  text.replace(/^([\w-]+):[ \t]*(\S.*)$/gm, (line: string, name: string, value: string) => {
    switch (keys.kindOf(name)) {
      case "secret":
        return `${name}: ${redacted}`
      case "address":
        return `${name}: ${cleanAddress(value)}`
      default:
        return line
    }
  })

/** The start of a text that is to be cleaned: a key is not parted from what it is known by. */
export const takeWords = (text: string, length: number): string => {
  if (text.length <= length) return text
  let end = take(text, length).length
  while (end > 0 && text.charCodeAt(end - 1) > 0x20) end--
  const word = text.slice(end, length)
  // A text without white space is no address, nor has it one.
  return /[@=:]/.test(word) || /\b(?:bearer|basic) *$/i.test(text.slice(Math.max(0, end - 20), end))
    ? text.slice(0, end)
    : take(text, length)
}

/** `clean` for a text of any length, with a note of what is left out. */
export const cleanStart = (clean: (text: string) => string, text: string, limit: number): string => {
  const kept = takeWords(text, Math.max(0, limit))
  return kept.length === text.length ? clean(text) : `${clean(kept)}<${text.length - kept.length} more characters>`
}

// ---------------------------------------------------------------------------------------------------------------------

/** Attributes of spans and their events that say why something failed. */
const saidNames: ReadonlySet<string> = new Set([
  "exception.message",
  "error.message",
  "effect.cause",
  "otel.status_description"
])

/** By all of the name, or what follows one of its points: header fields and addresses stand at the end of theirs. */
const kindOfAttribute = (name: string, names: ReadonlySet<string>): Kind => {
  if (saidNames.has(name)) return "said"
  for (let from = 0; from >= 0;) {
    const end = name.slice(from)
    const kind = kindOf(end, names)
    if (kind !== "text") return kind
    if (from > 0 && end.includes("_") && kindOf(end.replaceAll("_", "-"), names) === "secret") return "secret"
    from = name.indexOf(".", from) + 1 || -1
  }
  return "text"
}

/** `Array.isArray` throws for a proxy that was revoked. */
const isList = (value: unknown): value is ReadonlyArray<unknown> => {
  try {
    return Array.isArray(value)
  } catch {
    return false
  }
}

/** An attribute of a span by other instrumentation: header fields follow the list of names, addresses lose credentials. */
export const redactedAttribute = (
  name: string,
  value: unknown,
  names: ReadonlySet<string>,
  limit = Infinity
): unknown => {
  if (typeof value !== "string" && (typeof value !== "object" || value === null)) return value
  const kind = kindOfAttribute(name, names)
  if (kind === "text") return value
  if (kind === "secret") return redacted
  const clean = kind === "said" ? cleanText : cleanAddress
  const one = (value: unknown): unknown => typeof value === "string" ? cleanStart(clean, value, limit) : value
  return isList(value) ? value.map(one) : one(value)
}
