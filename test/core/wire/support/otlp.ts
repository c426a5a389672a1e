/** Reads an export of OpenTelemetry in protobuf with `protobufjs`, which is not ours, and the messages of the official files. */
import protobuf from "protobufjs"

/**
 * The messages of `opentelemetry/proto/{collector/trace/v1/trace_service,trace/v1/trace,resource/v1/resource,common/v1/common}.proto`.
 *
 * https://github.com/open-telemetry/opentelemetry-proto
 */
const messages = `
syntax = "proto3";
message ExportTraceServiceRequest { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; string schema_url = 3; }
message Resource { repeated KeyValue attributes = 1; uint32 dropped_attributes_count = 2; }
message ScopeSpans { InstrumentationScope scope = 1; repeated Span spans = 2; string schema_url = 3; }
message InstrumentationScope {
  string name = 1;
  string version = 2;
  repeated KeyValue attributes = 3;
  uint32 dropped_attributes_count = 4;
}
message Span {
  bytes trace_id = 1;
  bytes span_id = 2;
  string trace_state = 3;
  bytes parent_span_id = 4;
  string name = 5;
  int32 kind = 6;
  fixed64 start_time_unix_nano = 7;
  fixed64 end_time_unix_nano = 8;
  repeated KeyValue attributes = 9;
  uint32 dropped_attributes_count = 10;
  Status status = 15;
  fixed32 flags = 16;
}
message Status { string message = 2; int32 code = 3; }
message KeyValue { string key = 1; AnyValue value = 2; }
message ArrayValue { repeated AnyValue values = 1; }
message KeyValueList { repeated KeyValue values = 1; }
message AnyValue {
  oneof value {
    string string_value = 1;
    bool bool_value = 2;
    int64 int_value = 3;
    double double_value = 4;
    ArrayValue array_value = 5;
    KeyValueList kvlist_value = 6;
    bytes bytes_value = 7;
  }
}
`

const request = protobuf.parse(messages).root.lookupType("ExportTraceServiceRequest")

type Value = string | number | boolean | ReadonlyArray<string>

export interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly name: string
  readonly start: bigint
  readonly end: bigint
  readonly attributes: ReadonlyMap<string, Value>
  readonly status: { readonly code: number; readonly message: string } | undefined
}

export interface Export {
  readonly resource: ReadonlyMap<string, Value>
  readonly scope: { readonly name: string; readonly version: string }
  readonly spans: ReadonlyArray<Span>
}

interface AnyValue {
  readonly stringValue?: string
  readonly boolValue?: boolean
  readonly intValue?: string
  readonly arrayValue?: { readonly values: ReadonlyArray<AnyValue> }
}

type Attributes = ReadonlyArray<{ readonly key: string; readonly value: AnyValue }>

interface Decoded {
  readonly resourceSpans: ReadonlyArray<{
    readonly resource: { readonly attributes: Attributes }
    readonly scopeSpans: ReadonlyArray<{
      readonly scope: { readonly name: string; readonly version: string }
      readonly spans?: ReadonlyArray<{
        readonly traceId: string
        readonly spanId: string
        readonly parentSpanId?: string
        readonly name?: string
        readonly startTimeUnixNano?: string
        readonly endTimeUnixNano?: string
        readonly attributes: Attributes
        readonly status?: { readonly code: number; readonly message?: string }
      }>
    }>
  }>
}

const valueOf = (value: AnyValue): Value => {
  if (value.stringValue !== undefined) return value.stringValue
  if (value.boolValue !== undefined) return value.boolValue
  if (value.intValue !== undefined) return Number(value.intValue)
  if (value.arrayValue === undefined) throw new Error(`a value of another kind: ${JSON.stringify(value)}`)
  return value.arrayValue.values.map((value) => String(valueOf(value)))
}

const attributesOf = (attributes: Attributes): ReadonlyMap<string, Value> => {
  const found = new Map(attributes.map(({ key, value }) => [key, valueOf(value)]))
  if (found.size !== attributes.length) throw new Error("an attribute that is there twice")
  return found
}

const hex = (base64: string): string => Buffer.from(base64, "base64").toString("hex")

const only = <A>(list: ReadonlyArray<A>): A => {
  const [first, ...rest] = list
  if (first === undefined || rest.length > 0) throw new Error(`one expected, and not ${list.length}`)
  return first
}

/** Throws for what is no export, or has kinds of values that Langfuse does not keep as they are. */
export const readExport = (bytes: Uint8Array): Export => {
  // The type of this form follows from the messages above, which protobufjs reads at run time.
  const decoded = request.toObject(request.decode(bytes), { longs: String, bytes: String }) as unknown as Decoded
  const { resource, scopeSpans } = only(decoded.resourceSpans)
  const { scope, spans = [] } = only(scopeSpans)
  return {
    resource: attributesOf(resource.attributes),
    scope,
    spans: spans.map((span) => ({
      traceId: hex(span.traceId),
      spanId: hex(span.spanId),
      parentSpanId: span.parentSpanId === undefined ? undefined : hex(span.parentSpanId),
      name: span.name ?? "",
      // A zero that is there is left out by this decoder.
      start: BigInt(span.startTimeUnixNano ?? 0),
      end: BigInt(span.endTimeUnixNano ?? 0),
      attributes: attributesOf(span.attributes),
      status: span.status === undefined
        ? undefined
        : { code: span.status.code, message: span.status.message ?? "" }
    }))
  }
}
