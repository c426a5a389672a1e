/**
 * Programs in processes of their own.
 */
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { root } from "../../scripts/lib/compile.js"

export interface Ended {
  /** `null` when it was killed. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a compiled program with no variables but these and the path; ends by itself, or is ended after 30 seconds. */
export const node = (
  file: string,
  args: ReadonlyArray<string> = [],
  env: { readonly [name: string]: string } = {}
): Effect.Effect<Ended> =>
  Effect.async((resume) => {
    const child = spawn(process.execPath, [file, ...args], {
      cwd: root,
      timeout: 30_000,
      env: { PATH: process.env["PATH"] ?? "", ...env }
    })
    let stdout = ""
    let stderr = ""
    child.stdout.on("data", (chunk) => void (stdout += chunk))
    child.stderr.on("data", (chunk) => void (stderr += chunk))
    child.on("close", (code) => resume(Effect.succeed({ code, stdout, stderr })))
    return Effect.sync(() => void child.kill())
  })
