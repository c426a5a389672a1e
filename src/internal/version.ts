/** As in package.json; a test holds the two together. */
export const version = "0.1.0"

/** How this library names itself to Langfuse (`x-langfuse-sdk-name`). */
export const sdkName = "effect-langfuse"
