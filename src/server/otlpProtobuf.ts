/**
 * The messages of an OTLP trace export, for bodies in protobuf.
 *
 * Field numbers are those of
 * [opentelemetry-proto](https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto).
 * `protobufjs` is loaded when the first such body comes, so whoever sends JSON needs not install it.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"

type Fields = { readonly [name: string]: { readonly id: number; readonly type: string; readonly rule?: "repeated" } }

const field = (id: number, type: string) => ({ id, type })

const list = (id: number, type: string) => ({ id, type, rule: "repeated" as const })

const message = (fields: Fields) => ({ fields: { ...fields } })

const attributes = (id: number) => list(id, "KeyValue")

const value: Fields = {
  stringValue: field(1, "string"),
  boolValue: field(2, "bool"),
  intValue: field(3, "int64"),
  doubleValue: field(4, "double"),
  arrayValue: field(5, "ArrayValue"),
  kvlistValue: field(6, "KeyValueList"),
  bytesValue: field(7, "bytes")
}

const descriptor = () => ({
  nested: {
    AnyValue: { ...message(value), oneofs: { value: { oneof: Object.keys(value) } } },
    ArrayValue: message({ values: list(1, "AnyValue") }),
    KeyValueList: message({ values: attributes(1) }),
    KeyValue: message({ key: field(1, "string"), value: field(2, "AnyValue") }),
    Resource: message({ attributes: attributes(1), droppedAttributesCount: field(2, "uint32") }),
    Scope: message({
      name: field(1, "string"),
      version: field(2, "string"),
      attributes: attributes(3),
      droppedAttributesCount: field(4, "uint32")
    }),
    Event: message({
      timeUnixNano: field(1, "fixed64"),
      name: field(2, "string"),
      attributes: attributes(3),
      droppedAttributesCount: field(4, "uint32")
    }),
    Link: message({
      traceId: field(1, "bytes"),
      spanId: field(2, "bytes"),
      traceState: field(3, "string"),
      attributes: attributes(4)
    }),
    Status: message({ message: field(2, "string"), code: field(3, "int32") }),
    Span: message({
      traceId: field(1, "bytes"),
      spanId: field(2, "bytes"),
      traceState: field(3, "string"),
      parentSpanId: field(4, "bytes"),
      name: field(5, "string"),
      kind: field(6, "int32"),
      startTimeUnixNano: field(7, "fixed64"),
      endTimeUnixNano: field(8, "fixed64"),
      attributes: attributes(9),
      droppedAttributesCount: field(10, "uint32"),
      events: list(11, "Event"),
      droppedEventsCount: field(12, "uint32"),
      links: list(13, "Link"),
      droppedLinksCount: field(14, "uint32"),
      status: field(15, "Status"),
      flags: field(16, "fixed32")
    }),
    ScopeSpans: message({ scope: field(1, "Scope"), spans: list(2, "Span"), schemaUrl: field(3, "string") }),
    ResourceSpans: message({
      resource: field(1, "Resource"),
      scopeSpans: list(2, "ScopeSpans"),
      schemaUrl: field(3, "string")
    }),
    ExportTraceServiceRequest: message({ resourceSpans: list(1, "ResourceSpans") })
  }
})

/** Reads an export into the shape that its JSON form has, with ids as bytes; throws when it is no export. */
export type Decoder = (bytes: Uint8Array) => unknown

// Bundlers give up on a package that is not installed, unless the import stands in a `try` of its own.
const load = async () => {
  try {
    return Either.right(await import("protobufjs/light.js"))
  } catch (cause) {
    return Either.left(cause)
  }
}

/** Fails when `protobufjs` is not installed. */
export const decoder: Effect.Effect<Decoder, unknown> = Effect.map(
  Effect.flatten(Effect.promise(load)),
  (protobuf): Decoder => {
    const type = protobuf.Root.fromJSON(descriptor()).lookupType("ExportTraceServiceRequest")
    // Neither defaults nor empty lists are filled in: what is not on the wire is absent.
    return (bytes) => type.toObject(type.decode(bytes), { longs: String })
  }
)
