import { assert, describe, it } from "@effect/vitest"
import { dialectOf } from "../../../src/core/wire/dialect.js"

describe("dialect", () => {
  it("knows since when servers take all types", () => {
    for (const version of ["2.95.12", "3", "3.95.0", "3.98.1", "v3.98.1", "3.98.1-rc.2", "3.9.99", "0.1"]) {
      assert.isFalse(dialectOf(version).knowsAllTypes, version)
    }
    for (const version of ["3.98.2", "3.98.10", "v3.100.0", "3.225.4", "4.16.0", "4", "10.0.0", " 3.99.0 "]) {
      assert.isTrue(dialectOf(version).knowsAllTypes, version)
    }
  })

  it("knows since when there are environments and details", () => {
    const known = (version: string) => {
      const { knowsDetails, knowsEnvironments } = dialectOf(version)
      return [knowsEnvironments, knowsDetails]
    }
    for (const version of ["2.95.12", "3.0.0", "3.1.9"]) assert.deepStrictEqual(known(version), [false, false], version)
    for (const version of ["3.2.0", "3.30.9"]) assert.deepStrictEqual(known(version), [false, true], version)
    for (const version of ["3.31.0", "3.95.0", "4.0.0"]) assert.deepStrictEqual(known(version), [true, true], version)
  })

  it("takes a server that does not say for a current one", () => {
    for (const version of [undefined, "", "latest", "main", "x3.1", "2026-01-01", "3.1.2.4.", "1..2"]) {
      assert.isTrue(dialectOf(version).knowsAllTypes, version)
    }
  })
})
