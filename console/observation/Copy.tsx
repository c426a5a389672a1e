import { useEffect, useState } from "preact/hooks"

/** Copies a text, and says so. */
export const Copy = ({ label, text }: { readonly text: string | (() => string); readonly label: string }) => {
  const [said, setSaid] = useState<string>()
  useEffect(() => {
    if (said === undefined) return
    const timer = setTimeout(() => setSaid(undefined), 1500)
    return () => clearTimeout(timer)
  }, [said])
  const copy = () =>
    navigator.clipboard.writeText(typeof text === "function" ? text() : text).then(
      () => setSaid("Copied"),
      () => setSaid("Not copied")
    )
  return (
    <button type="button" class="small" onClick={copy} aria-live="polite">
      {said ?? label}
    </button>
  )
}
