/** For browsers: the page's server tells the address, and is told the outcome. */
import { Effect } from "effect"
import type { Address } from "./program.js"
import { at } from "./program.js"

const tell = (body: unknown) => fetch("/outcome", { method: "POST", body: JSON.stringify(body) })

const main = async () => {
  const address = await (await fetch("/address")).json() as Address
  await tell(await Effect.runPromise(at(address)))
}

main().catch((error: unknown) => tell({ error: String(error) }))
