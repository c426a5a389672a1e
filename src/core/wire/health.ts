/** What the health check says: `{"status":"OK","version":"4.16.0"}`. */

/** All of it can be missing. */
export interface Health {
  readonly version: string | undefined
  /** `OK`, or what is wrong. */
  readonly state: string | undefined
}

export const readHealth = (text: string): Health => {
  try {
    const health: { readonly version?: unknown; readonly status?: unknown } | null = JSON.parse(text)
    const version = health?.version
    const state = health?.status
    return {
      version: typeof version === "string" && /^v?\d+(\.|$)/.test(version)
        ? version.replace(/^v/, "").slice(0, 40)
        : undefined,
      state: typeof state === "string" ? state.slice(0, 200) : undefined
    }
  } catch {
    return { version: undefined, state: undefined }
  }
}
