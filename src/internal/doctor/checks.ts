/**
 * From what was found to what it means: one function for each check, each of them pure.
 */
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import { contentType, serverMessage } from "../../core/wire/answers.js"
import { dialectOf } from "../../core/wire/dialect.js"
import type { LangfuseError } from "../../LangfuseError.js"
import { sendsKeysInClear } from "../address.js"
import { adviceOn } from "../advice.js"
import type { Canary, Fate } from "./canary.js"
import type { Answer, Outcome, Silence } from "./exchange.js"
import type { Endpoint, Probes } from "./probes.js"
import type { Choice } from "./protocol.js"
import * as Protocol from "./protocol.js"
import type { Settings } from "./settings.js"
import type { Verdict } from "./verdict.js"
import * as V from "./verdict.js"

/** What somebody would correct who wants another address. */
const addressOf = ({ source }: Settings): string => source === "default" ? "LANGFUSE_BASE_URL" : source

// -------------------------------------------------------------------------------------
// address
// -------------------------------------------------------------------------------------

export const address = (settings: Settings): Verdict => {
  const { baseUrl, source } = settings
  const shown = source === "default"
    ? `${baseUrl}, the default, since LANGFUSE_BASE_URL is not set`
    : `${baseUrl} (${source})`
  return sendsKeysInClear(settings)
    ? V.warning(
      "address",
      `${shown} is plain http: the keys cross the network unencrypted`,
      "Use https, unless all of the network in between is your own."
    )
    : V.ok("address", shown)
}

// -------------------------------------------------------------------------------------
// server
// -------------------------------------------------------------------------------------

export const server = (settings: Settings, health: Outcome, probes: Probes | undefined): Verdict =>
  Either.match(health, {
    onLeft: (silence) => silent(settings, silence, probes),
    onRight: (answer) => {
      const target = redirection(settings, answer)
      if (target !== undefined) return redirected(settings, answer, target)
      const { state, version } = Protocol.readHealth(answer.text)
      if (version !== undefined) return alive(settings, answer, version, state)
      const described = `GET ${healthPath} answers ${answer.status} (${contentType(answer) ?? "no content type"})`
      if (Protocol.isTrouble(answer.status)) {
        return V.problem(
          "server",
          described,
          answer.status === 429
            ? "Something in front of Langfuse counts requests: let this path through."
            : "Whatever answers there has no working Langfuse behind it. Is it still starting? Its logs should tell."
        )
      }
      if (probes !== undefined && isAnsweredByLangfuse(probes)) {
        return V.warning(
          "server",
          `${described} and so does not tell the version of this Langfuse`,
          "Let this path through to Langfuse: \"auto\" looks there for the version."
        )
      }
      return V.problem("server", `this is not a Langfuse: ${described}`, cureOfAddress(settings))
    }
  })

/** Pages of Langfuse, and what other exporters want to have appended. */
const page = /\/(api\/public|project|organization|auth|setup)(\/.*)?$/

const cureOfAddress = (settings: Settings): string => {
  const { origin, pathname } = new URL(settings.baseUrl)
  return page.test(pathname)
    ? `Set ${addressOf(settings)} to ${origin}${pathname.replace(page, "")}: the rest is added to it.`
    : `Set ${addressOf(settings)} to the address at which Langfuse opens in a browser, without the path of a page.`
}

const healthPath = "/api/public/health"

const isLangfuse = (endpoint: Endpoint): boolean => endpoint._tag === "Takes" || endpoint.isLangfuse

const alive = (settings: Settings, answer: Answer, version: string, state: string | undefined): Verdict => {
  const name = `Langfuse ${version}`
  if (answer.status !== 200) {
    return V.problem(
      "server",
      `${name} says that it is not well: ${
        state ?? serverMessage(answer.text) ?? "no reason given"
      } (${answer.status})`,
      "Look into the logs of the Langfuse server."
    )
  }
  const took = answer.received - answer.sent
  const limit = Duration.toMillis(settings.timeout)
  return took > limit / 2
    ? V.warning(
      "server",
      `${name} took ${Duration.format(Duration.millis(took))} to answer, and requests are given up after ${
        Duration.format(settings.timeout)
      }`,
      "Raise LANGFUSE_TIMEOUT (seconds), or look for what slows the server or the network down."
    )
    : agedOr(version, V.ok("server", `${name}, answered in ${took} ms`))
}

/** A server that takes everything, but shows some of it as something else. */
const agedOr = (version: string, verdict: Verdict): Verdict => {
  const { knowsAllTypes, knowsDetails, knowsEnvironments } = dialectOf(version)
  if (knowsAllTypes) return verdict
  const shown = [
    "agents, tools and other types as spans (embeddings as generations)",
    ...(knowsEnvironments ? [] : ["no environments"]),
    ...(knowsDetails ? [] : ["of tokens and costs only input, output and total"])
  ]
  return V.warning(
    "server",
    `Langfuse ${version} is old: it shows ${shown.join(", ")}; the rest is in the metadata`,
    "Update Langfuse to 3.98.2 or later."
  )
}

/** Where a redirection leads to, without the path that was asked for. */
const redirection = (settings: Settings, answer: Answer): string | undefined => {
  const { location } = answer.headers
  if (answer.status < 300 || answer.status >= 400 || location === undefined) return undefined
  try {
    const { origin, pathname } = new URL(location, settings.baseUrl + healthPath)
    return `${origin}${pathname}`.replace(/\/api\/public\/health\/?$/, "").replace(/\/+$/, "")
  } catch {
    return undefined
  }
}

const redirected = (settings: Settings, answer: Answer, target: string): Verdict =>
  page.test(new URL(target).pathname)
    ? V.problem(
      "server",
      `redirected to a page (${answer.status}): something in front of Langfuse wants a login`,
      "Let /api/public through without one: Langfuse checks the keys itself."
    )
    : V.problem(
      "server",
      `redirected to ${target} (${answer.status}): the keys and the events do not survive that`,
      `Set ${addressOf(settings)} to ${target}.`
    )

const silent = (settings: Settings, { code, error }: Silence, probes: Probes | undefined): Verdict => {
  const { host, hostname } = new URL(settings.baseUrl)
  const name = addressOf(settings)
  const say = (message: string, cure: string) =>
    V.problem(
      "server",
      code === undefined ? message : `${message} (${code})`,
      settings.hasProxy
        ? `${cure} A proxy is set in the environment: Node's fetch uses it only with NODE_USE_ENV_PROXY=1, from Node 24 on.`
        : cure
    )
  if (error.reason === "Timeout") {
    return say(
      `GET ${healthPath}: ${error.message}`,
      probes !== undefined && isAnsweredByLangfuse(probes)
        ? "Everything else there answers: does a proxy keep this path from Langfuse?"
        : `The server hangs or is slow, or a firewall on the way to ${host} swallows requests.${patience(settings)}`
    )
  }
  switch (code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return say(
        `the name ${hostname} is not known here`,
        settings.source === "default"
          ? "Is this machine or container online, and can it look names up? For a server of your own set LANGFUSE_BASE_URL."
          : `Check the spelling of ${name}, and whether this machine or container can look names up.`
      )
    case "ECONNREFUSED":
      return say(
        `nothing listens at ${host}`,
        `Start Langfuse, or correct ${name}.${
          isThisMachine(host) ? ` In a container, ${hostname} is the container itself: name Langfuse's service.` : ""
        }`
      )
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "ETIMEDOUT":
    case "UND_ERR_CONNECT_TIMEOUT":
      return say(
        `no way to ${host}`,
        "Is this machine online, and does a firewall let it through to there?"
      )
    case "EPROTO":
    case "ERR_SSL_WRONG_VERSION_NUMBER":
    case "ERR_SSL_PACKET_LENGTH_TOO_LONG":
      return say(`${host} does not speak https`, `Use http:// in ${name}, or the port that speaks https.`)
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
      return say(
        `the certificate of ${host} comes from an authority that is not known here`,
        "Name the authority's certificate in NODE_EXTRA_CA_CERTS, here and where your program runs."
      )
    case "CERT_HAS_EXPIRED":
      return say(`the certificate of ${host} has expired`, "Renew it, or check the clock of this machine.")
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return say(`the certificate of ${host} is for another name`, `Use the name it is for in ${name}.`)
    case "ECONNRESET":
    case "UND_ERR_SOCKET":
    case "EPIPE":
      return say(
        `${host} hung up`,
        "Is that port Langfuse's, and does it want https rather than http? A proxy on the way may also cut connections."
      )
    default:
      return say(`no answer from ${host}`, `Is the server up, and is ${name} right?`)
  }
}

/** A longer wait, where it could tell more. */
const patience = ({ timeout }: Settings): string =>
  Duration.lessThan(timeout, Duration.seconds(30)) ? " --timeout 30 tells which." : ""

/** Plain http to this machine is all that crosses no network. */
const isThisMachine = (host: string): boolean => !sendsKeysInClear({ baseUrl: `http://${host}` })

/** Whether there is nothing to be had from that address, whatever is asked of it. */
export const isDeadEnd = (settings: Settings, health: Outcome): boolean =>
  Either.match(health, {
    onLeft: ({ error }) => error.reason !== "Timeout",
    onRight: (answer) => redirection(settings, answer) !== undefined
  })

/** Whether anything there answers as Langfuse does. */
export const isAnsweredByLangfuse = ({ batch, otlp }: Probes): boolean => isLangfuse(otlp) || isLangfuse(batch)

// -------------------------------------------------------------------------------------
// clock
// -------------------------------------------------------------------------------------

/** Further apart than this is worth a word. */
const tolerance = Duration.minutes(1)

export const clock = (answer: Answer): Verdict => {
  const date = Date.parse(answer.headers["date"] ?? "")
  if (Number.isNaN(date)) return V.skipped("clock", "the server does not tell its time")
  const skew = skewOf(date + 1000 * (Number(answer.headers["age"]) || 0), answer)
  const shown = Duration.format(Duration.seconds(Math.round(Math.abs(skew) / 1000)))
  return Math.abs(skew) > Duration.toMillis(tolerance)
    ? V.warning(
      "clock",
      `this machine's clock is ${shown} ${skew > 0 ? "ahead of" : "behind"} the server's`,
      "Set the clock (NTP). Until then look for traces at the time this machine believes it is, or widen the time filter."
    )
    : V.ok(
      "clock",
      Math.abs(skew) < 2000 ? "as the server's" : `${shown} ${skew > 0 ? "ahead of" : "behind"} the server's`
    )
}

/**
 * Milliseconds by which this machine is ahead. The server's time is cut to seconds, and was read somewhere between the
 * request and the answer: within that nothing can be told.
 */
const skewOf = (date: number, { received, sent }: Answer): number =>
  sent > date + 999 ? sent - (date + 999) : received < date ? received - date : 0

// -------------------------------------------------------------------------------------
// keys
// -------------------------------------------------------------------------------------

/** `undefined` when neither endpoint got as far as looking at them. */
export const keys = (settings: Settings, { batch, otlp, project }: Probes): Verdict | undefined => {
  const endpoints = [batch, otlp]
  if (endpoints.some(knowsKeys)) {
    return V.ok("keys", project === undefined ? "accepted" : `accepted, for the project "${project.name}"`)
  }
  const refused = endpoints.find(isUnauthorized)
  if (refused === undefined) return undefined
  const said = refused.error.description
  const message = `refused: ${said} (401)`
  if (/^no authorization header/i.test(said)) {
    return V.problem(
      "keys",
      message,
      "The keys were sent, so something in front of Langfuse removes the Authorization header: let it through."
    )
  }
  return V.problem("keys", message, settings.cureOfKeys ?? cureOfKeys(settings))
}

const projectKeys = "Langfuse shows a project's keys under Project Settings → API Keys"

const cureOfKeys = (settings: Settings): string => {
  const { baseUrl, source } = settings
  if (source === "default") {
    return `LANGFUSE_BASE_URL is not set, so they are taken for keys of the EU region. For keys of another region or of ` +
      `your own server set it: ${others(baseUrl).join(", ")} or your own address. ${projectKeys}.`
  }
  return Protocol.isCloud(baseUrl)
    ? `Regions share no keys: try npx effect-langfuse doctor --base-url with ${others(baseUrl).join(", ")}. If none ` +
      `takes them the keys are wrong or were deleted: ${projectKeys}.`
    : `They are not those of a project on this server: they belong to another one, are mistyped or were deleted. ${projectKeys}.`
}

const others = (baseUrl: string): ReadonlyArray<string> => Protocol.regions.filter((region) => region !== baseUrl)

const isUnauthorized = (endpoint: Endpoint): endpoint is Extract<Endpoint, { _tag: "Refuses" }> =>
  endpoint._tag === "Refuses" && endpoint.error.reason === "Status" && endpoint.error.status === 401

/** Only who has the right keys gets this far: they are checked before usage limits and rates. */
const knowsKeys = (endpoint: Endpoint): boolean =>
  endpoint._tag === "Takes" ||
  (endpoint.isLangfuse && (isSuspended(endpoint.error) || endpoint.error.reason === "RateLimited"))

const isSuspended = ({ description, status }: LangfuseError): boolean =>
  status === 403 && /suspended/i.test(description)

// -------------------------------------------------------------------------------------
// endpoints
// -------------------------------------------------------------------------------------

const paths = {
  otlp: "POST /api/public/otel/v1/traces",
  ingestion: "POST /api/public/ingestion"
}

export const otlpEndpoint = (settings: Settings, { otlp }: Probes, choice: Choice): Verdict => {
  if (otlp._tag === "Takes") return V.ok("otlp-endpoint", "takes traces")
  if (choice.protocol !== "ingestion") {
    return V.problem("otlp-endpoint", otlp.error.message, cureOf(settings, otlp.error, "otlp"))
  }
  return Protocol.isAbsent(otlp)
    ? V.ok("otlp-endpoint", "not there (404), and not needed")
    : V.skipped("otlp-endpoint", `${otlp.error.message}: not needed`)
}

export const batchEndpoint = (settings: Settings, { batch }: Probes): Verdict =>
  batch._tag === "Takes"
    ? V.ok("batch-endpoint", batch.traces ? "takes traces and scores" : "takes scores; of traces it takes none")
    : V.problem("batch-endpoint", batch.error.message, cureOf(settings, batch.error, "ingestion"))

const cureOf = (settings: Settings, error: LangfuseError, endpoint: keyof typeof paths): string => {
  if (error.status === 404) return `Does a proxy let ${paths[endpoint]} through to Langfuse?`
  if (isSuspended(error)) return "The usage limit of the organization is reached: raise it, or the plan, in Langfuse."
  if (error.reason === "RateLimited") return `Wait a minute and try again. In a program, ${adviceOn(error)}.`
  if (error.reason === "Timeout") return `${hanging}${patience(settings)}`
  return sentence(adviceOn(error))
}

const hanging = "The server hangs or is slow."

const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.?!]$/.test(text) ? "" : "."}`

// -------------------------------------------------------------------------------------
// protocol
// -------------------------------------------------------------------------------------

export const protocol = (choice: Choice): Verdict =>
  (choice.works ? V.ok : V.skipped)(
    "protocol",
    `"auto" ${choice.works ? "sends" : "would send"} traces ${Protocol.names[choice.protocol]}: ${choice.why}`
  )

// -------------------------------------------------------------------------------------
// canary
// -------------------------------------------------------------------------------------

export const canary = (settings: Settings, result: Canary, traceUrl: string): ReadonlyArray<Verdict> => {
  const { protocol } = result
  return [
    fate(
      settings,
      "canary-trace",
      result.trace,
      protocol,
      `accepted ${Protocol.names[protocol]}; within a minute it is at ${traceUrl}`
    ),
    fate(settings, "canary-score", result.score, "ingestion", `accepted ${Protocol.names.ingestion}`)
  ]
}

const fate = (
  settings: Settings,
  check: "canary-trace" | "canary-score",
  found: Fate,
  endpoint: keyof typeof paths,
  arrived: string
): Verdict => {
  switch (found._tag) {
    case "Arrived":
      return V.ok(check, arrived)
    case "Lost":
      return V.problem(check, `not accepted: ${found.error.message}`, cureOf(settings, found.error, endpoint))
    case "Pending":
      return V.problem(check, "no answer in time", `${hanging}${patience(settings)}`)
  }
}
