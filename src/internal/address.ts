/** Where a server is, as far as its address tells. */

/** On this machine: nothing that is sent there crosses a network. */
export const isThisMachine = (baseUrl: string): boolean =>
  /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(baseUrl).hostname)

const privateV4 = /^(10(\.\d+){3}|172\.(1[6-9]|2\d|3[01])(\.\d+){2}|192\.168(\.\d+){2}|169\.254(\.\d+){2})$/
const privateV6 = /^\[(f[cd][0-9a-f]{2}|fe[89ab][0-9a-f]):/
const privateName = /^[^.:[\]]+$|\.(local|internal)$/

/**
 * On this machine or in a network of its own, such as that of a cluster: bytes cost little on the way there.
 *
 * @see https://www.rfc-editor.org/rfc/rfc1918
 * @see https://www.rfc-editor.org/rfc/rfc4193
 */
export const isNearby = (baseUrl: string): boolean => {
  const { hostname } = new URL(baseUrl)
  return isThisMachine(baseUrl) || privateV4.test(hostname) || privateV6.test(hostname) || privateName.test(hostname)
}
