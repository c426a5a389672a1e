/**
 * What a program would take from its environment, read as `LangfuseIngest.layerFromEnv` reads it, and what is odd about it.
 */
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Redacted from "effect/Redacted"
import * as LangfuseConfig from "../../LangfuseConfig.js"
import type { Redact } from "./redact.js"
import * as RedactKeys from "./redact.js"
import type { Verdict } from "./verdict.js"
import * as V from "./verdict.js"

/** What the command line says, which wins over the environment. */
export interface Overrides {
  readonly baseUrl?: string | undefined
  readonly timeout?: Duration.Duration | undefined
}

export interface Keys {
  readonly publicKey: string
  readonly secretKey: Redacted.Redacted
}

export interface Settings {
  /** `undefined` when one of them is not set, and so tracing is off. */
  readonly keys: Keys | undefined
  /** Without a trailing slash. */
  readonly baseUrl: string
  readonly source: Source
  readonly timeout: Duration.Duration
  readonly environment: string | undefined
  readonly release: string | undefined
  /** Whether the environment names a proxy for this address. */
  readonly hasProxy: boolean
  /** What to do when the server refuses the keys, if their shape tells. */
  readonly cureOfKeys: string | undefined
}

/** Where the address comes from. */
export type Source = "--base-url" | typeof addressVariables[number] | "default"

export const addressVariables = ["LANGFUSE_BASE_URL", "LANGFUSE_BASEURL", "LANGFUSE_HOST"] as const

export interface Reading {
  /** `undefined` when a program would refuse to start. */
  readonly settings: Settings | undefined
  readonly redact: Redact
  readonly verdicts: ReadonlyArray<Verdict>
}

export const read = (overrides: Overrides): Effect.Effect<Reading> =>
  Effect.gen(function*() {
    const publicKey = yield* raw("LANGFUSE_PUBLIC_KEY")
    const secretKey = yield* raw("LANGFUSE_SECRET_KEY")
    const redact = RedactKeys.make(publicKey, secretKey)
    const addresses = yield* Effect.forEach(addressVariables, raw)
    const env = yield* Effect.either(overridden(LangfuseConfig.env, overrides.baseUrl))
    if (Either.isLeft(env)) {
      return { settings: undefined, redact, verdicts: issuesOf(env.left).map((issue) => malformed(redact(issue))) }
    }
    const { baseUrl = LangfuseConfig.defaults.baseUrl, ...options } = env.right
    const keys = options.publicKey === undefined || options.secretKey === undefined
      ? undefined
      : { publicKey: options.publicKey, secretKey: options.secretKey }
    const scheme = new URL(baseUrl).protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY"
    const proxies = [yield* raw(scheme), yield* raw(scheme.toLowerCase())]
    const settings: Settings = {
      keys,
      baseUrl,
      source: sourceOf(overrides.baseUrl, addresses),
      timeout: Duration.min(
        overrides.timeout ?? Duration.decode(options.requestTimeout ?? LangfuseConfig.defaults.requestTimeout),
        longestTimeout
      ),
      environment: options.environment,
      release: options.release,
      hasProxy: proxies.some((proxy) => proxy !== undefined),
      cureOfKeys: suspicionOf(publicKey, secretKey)?.cure
    }
    return {
      settings,
      redact,
      verdicts: [
        ...keysVerdicts(publicKey, secretKey, options.environment),
        ...oddities(options),
        ...unusedAddresses(settings, addresses)
      ]
    }
  })

/** The doctor itself waits no longer than this, whatever a program would. */
const longestTimeout = Duration.minutes(1)

/** As the shell has it; what is set to nothing is not set. */
const raw = (name: string): Effect.Effect<string | undefined> =>
  Config.string(name).pipe(
    Effect.map((value) => value.trim() || undefined),
    Effect.orElseSucceed(() => undefined)
  )

const overridden = <A, E>(effect: Effect.Effect<A, E>, baseUrl: string | undefined): Effect.Effect<A, E> =>
  baseUrl === undefined
    ? effect
    : Effect.configProviderWith((provider) =>
      Effect.withConfigProvider(
        effect,
        ConfigProvider.orElse(
          ConfigProvider.fromMap(new Map([["LANGFUSE_BASE_URL", baseUrl]])),
          () => provider
        )
      )
    )

const sourceOf = (given: string | undefined, addresses: ReadonlyArray<string | undefined>): Source =>
  given !== undefined ? "--base-url" : addressVariables.find((_, index) => addresses[index] !== undefined) ?? "default"

/** One line for each variable that is wrong. */
const issuesOf = (error: ConfigError.ConfigError): ReadonlyArray<string> =>
  error._op === "And" || error._op === "Or"
    ? [...issuesOf(error.left), ...issuesOf(error.right)]
    : [error.message]

const malformed = (issue: string): Verdict =>
  V.problem("configuration", issue, "Correct or unset this variable: a program that reads it does not start.")

const keysVerdicts = (
  publicKey: string | undefined,
  secretKey: string | undefined,
  environment: string | undefined
): ReadonlyArray<Verdict> => {
  const missing = [
    publicKey === undefined ? "LANGFUSE_PUBLIC_KEY" : undefined,
    secretKey === undefined ? "LANGFUSE_SECRET_KEY" : undefined
  ].filter((name) => name !== undefined)
  if (missing.length > 0) {
    return [V.problem(
      "configuration",
      `${missing.join(" and ")} not set: tracing is off`,
      "Langfuse shows both keys under Project Settings → API Keys. A .env file is read only with --dotenv .env."
    )]
  }
  const suspicion = suspicionOf(publicKey, secretKey)
  if (suspicion !== undefined) return [{ check: "configuration", outcome: "warning", ...suspicion }]
  return [V.ok(
    "configuration",
    `both keys are set${environment === undefined ? "" : `, traces belong to the environment "${environment}"`}`
  )]
}

/** Keys of a shape that Langfuse's own do not have, though a server can be set up with any. */
const suspicionOf = (publicKey = "", secretKey = ""): Pick<Verdict, "message" | "cure"> | undefined => {
  const quoted = [
    isQuoted(publicKey) ? "LANGFUSE_PUBLIC_KEY" : undefined,
    isQuoted(secretKey) ? "LANGFUSE_SECRET_KEY" : undefined
  ].filter((name) => name !== undefined)
  if (quoted.length > 0) {
    return {
      message: `${quoted.join(" and ")} ${
        quoted.length === 1 ? "is" : "are"
      } in quotation marks, which are sent as well`,
      cure: "Remove them: docker run --env-file, for one, keeps the quotation marks of a .env file."
    }
  }
  return publicKey.startsWith("sk-") || secretKey.startsWith("pk-")
    ? {
      message: "the keys look swapped: a public key begins with pk-, a secret key with sk-",
      cure: "Put the one that begins with pk- into LANGFUSE_PUBLIC_KEY and the other into LANGFUSE_SECRET_KEY."
    }
    : undefined
}

const isQuoted = (key: string): boolean => /^(["'`]).*\1$/.test(key)

/** Values that are in order, and yet seldom what was meant. */
const oddities = (
  options: Pick<
    Effect.Effect.Success<typeof LangfuseConfig.env>,
    "enabled" | "sampleRate" | "requestTimeout" | "interval"
  >
): ReadonlyArray<Verdict> => {
  const verdicts: Array<Verdict> = []
  const odd = (message: string, cure: string) => verdicts.push(V.warning("configuration", message, cure))
  if (options.enabled === false) {
    odd("LANGFUSE_TRACING_ENABLED turns tracing off: programs send nothing", "Unset it, or set it to true.")
  }
  const { sampleRate = 1 } = options
  if (sampleRate < 1) {
    odd(
      sampleRate === 0
        ? "LANGFUSE_SAMPLE_RATE is 0: programs send no trace at all"
        : `LANGFUSE_SAMPLE_RATE is ${sampleRate}: of 100 traces about ${
          Number((sampleRate * 100).toPrecision(2))
        } are sent`,
      "Unset it to send all of them. The doctor's own trace is always sent."
    )
  }
  const timeout = millis(options.requestTimeout)
  if (timeout !== undefined && timeout < 500) {
    odd(`LANGFUSE_TIMEOUT gives each request ${timeout} ms`, "It is in seconds: 5 is the default.")
  }
  if (timeout !== undefined && timeout > 120_000) {
    odd(
      `LANGFUSE_TIMEOUT gives each request ${Duration.format(Duration.millis(timeout))}`,
      "It is in seconds, not in milliseconds: 5 is the default."
    )
  }
  const interval = millis(options.interval)
  if (interval !== undefined && interval > 60_000) {
    odd(
      `LANGFUSE_FLUSH_INTERVAL lets events wait for up to ${Duration.format(Duration.millis(interval))}`,
      "It is in seconds, not in milliseconds: 2 is the default."
    )
  }
  return verdicts
}

const millis = (duration: Duration.DurationInput | undefined): number | undefined =>
  duration === undefined ? undefined : Duration.toMillis(duration)

/** Another address than the one that counts. */
const unusedAddresses = (
  { baseUrl, source }: Settings,
  addresses: ReadonlyArray<string | undefined>
): ReadonlyArray<Verdict> => {
  if (source === "--base-url") return []
  const unused = addressVariables.filter((_, index) => {
    const address = addresses[index]
    return address !== undefined && `${new URL(address).href}`.replace(/\/+$/, "") !== baseUrl
  })
  return unused.length === 0 ? [] : [V.warning(
    "configuration",
    `${unused.join(" and ")} ${unused.length === 1 ? "names" : "name"} another address, and ${source} counts`,
    `Unset ${unused.join(" and ")}, or make them agree.`
  )]
}
