import type { ComponentChildren } from "preact"
import { useLayoutEffect, useRef, useState } from "preact/hooks"

/** In pixels; something a little higher is not worth a button. */
const most = 420
const slack = 160

/** Cuts what is very high, until it is asked for. */
export const Clamp = ({ children }: { readonly children: ComponentChildren }) => {
  const place = useRef<HTMLDivElement>(null)
  const [isHigh, setHigh] = useState(false)
  const [isOpen, setOpen] = useState(false)
  useLayoutEffect(() => {
    const { current } = place
    if (current !== null && !isHigh && current.scrollHeight > most + slack) setHigh(true)
  })
  const isCut = isHigh && !isOpen
  return (
    <>
      <div ref={place} class={isCut ? "clamp cut" : "clamp"} style={isCut ? { maxBlockSize: `${most}px` } : {}}>
        {children}
      </div>
      {isHigh && (
        <button type="button" class="small unclamp" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? "Show less" : "Show all of it"}
        </button>
      )}
    </>
  )
}
