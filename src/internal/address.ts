/** Where a server is, as far as its address tells. */

/** On this machine: nothing that is sent there crosses a network. */
export const isThisMachine = (baseUrl: string): boolean =>
  /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(baseUrl).hostname)

/** Langfuse Cloud, in whatever region. */
export const isCloud = (baseUrl: string): boolean => /^(.+\.)?cloud\.langfuse\.com$/.test(new URL(baseUrl).hostname)

/** Whether keys would cross a network in clear text. */
export const sendsKeysInClear = ({ baseUrl }: { readonly baseUrl: string }): boolean =>
  new URL(baseUrl).protocol === "http:" && !isThisMachine(baseUrl)
