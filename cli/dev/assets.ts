/**
 * The files of the pages. In the published command this module is replaced by one that has them inside; from the
 * sources they are bundled when they are needed.
 */

export interface Assets {
  readonly html: string
  readonly icon: string
  readonly script: string
  readonly style: string
}

export const load = async (): Promise<Assets> => {
  const { bundle } = await import("../../scripts/bundle-console.js")
  return (await bundle()).assets
}
