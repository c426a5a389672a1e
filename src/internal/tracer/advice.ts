/** What is told to people about what they said of a trace. */

export const badEnvironment = (name: string): string =>
  `Langfuse takes no environment ${
    JSON.stringify(name.slice(0, 40))
  }, and files it under "default": 1 to 40 of a-z, 0-9, ` +
  "- and _ are allowed"
