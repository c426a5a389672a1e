/** For runtimes with a console and environment variables: Node, Bun, Deno. */
import { Effect } from "effect"
import { fromEnv } from "./program.js"

Effect.runPromise(fromEnv).then((outcome) => console.log(JSON.stringify(outcome)))
