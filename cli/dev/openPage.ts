/**
 * Opens an address in the user's browser, where there is one.
 */
import * as Command from "@effect/platform/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"

const openers: { readonly [platform: string]: readonly [string, ...Array<string>] } = {
  darwin: ["open"],
  win32: ["cmd", "/c", "start", ""]
}

export const openPage = (url: string) => {
  const [opener, ...args] = openers[process.platform] ?? ["xdg-open"]
  return Command.make(opener, ...args, url).pipe(
    Command.exitCode,
    Effect.timeout("5 seconds"),
    Effect.flatMap((code) => code === 0 ? Effect.void : Effect.fail("no browser")),
    Effect.catchAll(() => Console.error(`No browser could be opened: go to ${url}`))
  )
}
