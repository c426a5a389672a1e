/** For workerd, without its compatibility with Node: a request runs the program. */
import { Effect } from "effect"
import type { Address } from "./program.js"
import { at } from "./program.js"

export default {
  async fetch(request: Request): Promise<Response> {
    if (request.method !== "POST") return new Response("ready")
    const address = await request.json() as Address
    return Response.json(await Effect.runPromise(at(address)))
  }
}
