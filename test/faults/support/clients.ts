/**
 * The HTTP clients that programs on Node use.
 */
import { FetchHttpClient, type HttpClient } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import type { Layer } from "effect"

export const fetchClient: Layer.Layer<HttpClient.HttpClient> = FetchHttpClient.layer

export const clients: ReadonlyArray<readonly [name: string, client: Layer.Layer<HttpClient.HttpClient>]> = [
  ["fetch", fetchClient],
  ["undici", NodeHttpClient.layerUndici]
]
