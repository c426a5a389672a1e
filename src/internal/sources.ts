/**
 * Who has events for a service that are not enqueued yet: a tracer encodes a span in the turn after its end, because
 * attributes may still come. A flush first asks for those.
 */
const sources = new WeakMap<object, Set<() => void>>()

/** `push` enqueues what is waiting, synchronously. Returns what ends the arrangement. */
export const register = (service: object, push: () => void): () => void => {
  const known = sources.get(service) ?? new Set()
  sources.set(service, known.add(push))
  return () => void known.delete(push)
}

export const pushAll = (service: object): void => {
  for (const push of sources.get(service) ?? []) push()
}
