/**
 * Numbers, times and sizes as people read them.
 */

export const duration = (milliseconds: number | null | undefined): string => {
  if (milliseconds === undefined || milliseconds === null) return "–"
  if (milliseconds < 1) return milliseconds <= 0 ? "0 ms" : "<1 ms"
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(milliseconds < 10_000 ? 2 : 1)} s`
  const minutes = Math.floor(milliseconds / 60_000)
  if (minutes < 60) return `${minutes} min ${Math.round((milliseconds % 60_000) / 1000)} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

export const count = (value: number | null | undefined): string => {
  if (value === undefined || value === null) return "–"
  if (value < 10_000) return value.toLocaleString("en")
  return value < 1_000_000 ? `${(value / 1000).toFixed(1)}k` : `${(value / 1_000_000).toFixed(2)}M`
}

export const cost = (dollars: number | null | undefined): string => {
  if (dollars === undefined || dollars === null) return "–"
  if (dollars === 0) return "$0"
  if (dollars < 0.000_1) return `$${dollars.toExponential(1)}`
  return `$${dollars.toFixed(dollars < 0.01 ? 5 : dollars < 1 ? 4 : 2)}`
}

export const bytes = (size: number): string => {
  if (size < 1000) return `${size} B`
  return size < 1_000_000 ? `${(size / 1000).toFixed(1)} kB` : `${(size / 1_000_000).toFixed(1)} MB`
}

const two = (value: number): string => String(value).padStart(2, "0")

export const clock = (time: string | number): string => {
  const date = new Date(time)
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

/** The day too, when it is not today's. */
export const moment = (time: string | number, now = new Date()): string => {
  const date = new Date(time)
  const isToday = date.toDateString() === now.toDateString()
  return isToday
    ? clock(time)
    : `${date.toLocaleDateString("en", { day: "numeric", month: "short" })} ${clock(time).slice(0, 5)}`
}

export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`
