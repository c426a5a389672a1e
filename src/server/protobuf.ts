/**
 * Reads an OTLP trace export in protobuf into the shape that its JSON form has, with ids as bytes.
 *
 * Field numbers are those of
 * [opentelemetry-proto](https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto).
 * Neither defaults nor empty lists are filled in: what is not on the wire is absent. Unknown fields are skipped, a field
 * sent again replaces its value or, in a message, adds to it. A field with another wire type than its own is unknown.
 */

interface Reader {
  readonly wire: number
  readonly read: (source: Source, before: unknown) => unknown
}

interface Field extends Reader {
  readonly name: string
  readonly isList: boolean
}

type Message = ReadonlyMap<number, Field>

/** How deep messages may lie in each other: lists of lists and so on. */
const maxDepth = 1000

const malformed = (reason: string): never => {
  throw new Error(`no protobuf: ${reason}`)
}

class Source {
  readonly bytes: Uint8Array
  readonly end: number
  readonly depth: number
  private readonly view: DataView
  position: number

  constructor(bytes: Uint8Array, start: number, end: number, depth: number) {
    if (depth > maxDepth) malformed("messages lie too deep")
    this.bytes = bytes
    this.position = start
    this.end = end
    this.depth = depth
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Up to ten bytes; what is over 64 bits is cut off. */
  varint(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (this.position >= this.end) malformed("it ends within a number")
      const byte = this.view.getUint8(this.position++)
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    return malformed("a number is too long")
  }

  /** Lengths and tags, which have 32 bits whatever room they take. */
  small(): number {
    let value = 0
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.position >= this.end) malformed("it ends within a number")
      const byte = this.view.getUint8(this.position++)
      if (shift < 32) value = (value | ((byte & 0x7f) << shift)) >>> 0
      if (byte < 0x80) return value
    }
    return malformed("a number is too long")
  }

  take(length: number): number {
    const start = this.position
    if (length > this.end - start) malformed("it ends within a field")
    this.position = start + length
    return start
  }

  fixed64(): bigint {
    return this.view.getBigUint64(this.take(8), true)
  }

  double(): number {
    return this.view.getFloat64(this.take(8), true)
  }

  fixed32(): number {
    return this.view.getUint32(this.take(4), true)
  }

  piece(): Uint8Array {
    const length = this.small()
    const start = this.take(length)
    return this.bytes.subarray(start, start + length)
  }

  inner(): Source {
    const length = this.small()
    const start = this.take(length)
    return new Source(this.bytes, start, start + length, this.depth + 1)
  }

  skip(wire: number, number: number): void {
    switch (wire) {
      case 0:
        this.varint()
        return
      case 1:
        this.take(8)
        return
      case 2:
        this.take(this.small())
        return
      case 3:
        return this.skipGroup(number)
      case 5:
        this.take(4)
        return
      default:
        malformed("there is no such wire type")
    }
  }

  private skipGroup(number: number): void {
    const open = [number]
    while (open.length > 0) {
      const tag = this.small()
      const wire = tag & 7
      if (wire === 3) open.push(tag >>> 3)
      else if (wire !== 4) this.skip(wire, tag >>> 3)
      else if (open.pop() !== tag >>> 3) malformed("groups overlap")
      if (open.length > maxDepth) malformed("groups lie too deep")
    }
  }
}

// Text that is no UTF-8 becomes replacement characters.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

const reader = (wire: number, read: Reader["read"]): Reader => ({ wire, read })

const text = reader(2, (source) => decoder.decode(source.piece()))
const bytes = reader(2, (source) => source.piece().slice())
const bool = reader(0, (source) => source.varint() !== 0n)
const int32 = reader(0, (source) => Number(BigInt.asIntN(32, source.varint())))
const uint32 = reader(0, (source) => source.small())
const int64 = reader(0, (source) => String(BigInt.asIntN(64, source.varint())))
const double = reader(1, (source) => source.double())
const fixed64 = reader(1, (source) => String(source.fixed64()))
const fixed32 = reader(5, (source) => source.fixed32())

const isObject = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null

const readMessage = (message: Message, source: Source, before: unknown): unknown => {
  const values = new Map<string, unknown>(isObject(before) ? Object.entries(before) : [])
  while (source.position < source.end) {
    const tag = source.small()
    const [number, wire] = [tag >>> 3, tag & 7]
    const field = message.get(number)
    if (number === 0) malformed("there is no field 0")
    if (field === undefined || field.wire !== wire) {
      source.skip(wire, number)
      continue
    }
    const earlier = values.get(field.name)
    if (!field.isList) values.set(field.name, field.read(source, earlier))
    else if (Array.isArray(earlier)) earlier.push(field.read(source, undefined))
    else values.set(field.name, [field.read(source, undefined)])
  }
  return Object.fromEntries(values)
}

/** Messages are named by functions, since a value can have values in it. */
const message = (of: () => Message): Reader => reader(2, (source, before) => readMessage(of(), source.inner(), before))

type Numbered = readonly [number: number, field: Field]

const field = (number: number, name: string, reader: Reader): Numbered => [number, { name, isList: false, ...reader }]

const list = (number: number, name: string, of: () => Message): Numbered => [
  number,
  { name, isList: true, ...message(of) }
]

const anyValue: Message = new Map([
  field(1, "stringValue", text),
  field(2, "boolValue", bool),
  field(3, "intValue", int64),
  field(4, "doubleValue", double),
  field(5, "arrayValue", message(() => arrayValue)),
  field(6, "kvlistValue", message(() => keyValues)),
  field(7, "bytesValue", bytes)
])

const arrayValue: Message = new Map([list(1, "values", () => anyValue)])

const keyValues: Message = new Map([list(1, "values", () => keyValue)])

const keyValue: Message = new Map([
  field(1, "key", text),
  field(2, "value", message(() => anyValue))
])

const attributes = (number: number) => list(number, "attributes", () => keyValue)

const resource: Message = new Map([attributes(1), field(2, "droppedAttributesCount", uint32)])

const scope: Message = new Map([
  field(1, "name", text),
  field(2, "version", text),
  attributes(3),
  field(4, "droppedAttributesCount", uint32)
])

const event: Message = new Map([
  field(1, "timeUnixNano", fixed64),
  field(2, "name", text),
  attributes(3),
  field(4, "droppedAttributesCount", uint32)
])

const link: Message = new Map([
  field(1, "traceId", bytes),
  field(2, "spanId", bytes),
  field(3, "traceState", text),
  attributes(4),
  field(5, "droppedAttributesCount", uint32),
  field(6, "flags", fixed32)
])

const status: Message = new Map([field(2, "message", text), field(3, "code", int32)])

const span: Message = new Map([
  field(1, "traceId", bytes),
  field(2, "spanId", bytes),
  field(3, "traceState", text),
  field(4, "parentSpanId", bytes),
  field(5, "name", text),
  field(6, "kind", int32),
  field(7, "startTimeUnixNano", fixed64),
  field(8, "endTimeUnixNano", fixed64),
  attributes(9),
  field(10, "droppedAttributesCount", uint32),
  list(11, "events", () => event),
  field(12, "droppedEventsCount", uint32),
  list(13, "links", () => link),
  field(14, "droppedLinksCount", uint32),
  field(15, "status", message(() => status)),
  field(16, "flags", fixed32)
])

const scopeSpans: Message = new Map([
  field(1, "scope", message(() => scope)),
  list(2, "spans", () => span),
  field(3, "schemaUrl", text)
])

const resourceSpans: Message = new Map([
  field(1, "resource", message(() => resource)),
  list(2, "scopeSpans", () => scopeSpans),
  field(3, "schemaUrl", text)
])

const request: Message = new Map([list(1, "resourceSpans", () => resourceSpans)])

/** Throws when the bytes are no export. */
export const decodeExport = (bytes: Uint8Array): unknown =>
  readMessage(request, new Source(bytes, 0, bytes.length, 0), undefined)
