/**
 * The growth of cost as a picture.
 */
import * as vega from "vega"
import type { TopLevelSpec } from "vega-lite"
import { compile } from "vega-lite"

export interface Point {
  readonly subject: string
  readonly sweep: "events" | "bytes"
  readonly x: number
  readonly measure: "caller" | "cpu"
  readonly median: number
  readonly min: number
  readonly max: number
}

const axes = { events: "events recorded", bytes: "bytes of one event's content" }
const titles = { caller: "caller's time, µs an event", cpu: "CPU of the process, µs an event" }

const panel = (points: ReadonlyArray<Point>, sweep: Point["sweep"], measure: Point["measure"]) => ({
  width: 360,
  height: 260,
  title: titles[measure],
  data: { values: points.filter((point) => point.sweep === sweep && point.measure === measure) },
  encoding: {
    x: {
      field: "x",
      type: "quantitative" as const,
      scale: { type: "log" as const },
      axis: { title: axes[sweep], format: "~s", grid: false, tickCount: 5 }
    },
    color: { field: "subject", type: "nominal" as const, legend: { title: null } }
  },
  layer: [
    {
      mark: { type: "line" as const, point: true },
      encoding: {
        y: {
          field: "median",
          type: "quantitative" as const,
          scale: { type: "log" as const },
          axis: { title: null, format: "~g" }
        }
      }
    },
    {
      mark: { type: "rule" as const, opacity: 0.5 },
      encoding: { y: { field: "min", type: "quantitative" as const }, y2: { field: "max" } }
    }
  ]
})

export const svg = (points: ReadonlyArray<Point>): Promise<string> => {
  const spec: TopLevelSpec = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    background: "white",
    vconcat: (["events", "bytes"] as const).map((sweep) => ({
      hconcat: (["caller", "cpu"] as const).map((measure) => panel(points, sweep, measure))
    })),
    config: { font: "sans-serif", view: { stroke: null } }
  }
  return new vega.View(vega.parse(compile(spec).spec), { renderer: "none" }).toSVG()
}
