/**
 * A successful answer that is not Langfuse's, such as the page of a wrong host.
 */
import { LangfuseError } from "../LangfuseError.js"
import type { Answer } from "./sender.js"

export const contentType = (answer: Answer): string | undefined => answer.headers["content-type"]?.split(";")[0]

/** Says what came instead, and nothing of what it said. */
export const unexpectedBody = (answer: Answer): LangfuseError =>
  new LangfuseError({
    reason: "UnexpectedBody",
    status: answer.status,
    description: `the answer is not Langfuse's (${
      contentType(answer) ?? "no content type"
    }, ${answer.text.length} characters)`
  })
