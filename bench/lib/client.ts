/** The HTTP clients that a program of Effect on Node has to choose from. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type { HttpClient } from "@effect/platform/HttpClient"
import type * as Layer from "effect/Layer"
import type { Settings } from "./subject.js"

export const clientOf = ({ client = "undici" }: Settings): Layer.Layer<HttpClient> =>
  client === "undici" ? NodeHttpClient.layerUndici : FetchHttpClient.layer
