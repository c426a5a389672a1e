/**
 * Recorded cases in which the embedded server does otherwise, each with why. At most three in a hundred.
 */
const parameters = "model parameters that are no object are stored as none: whoever reads them expects an object"

export const exceptions: { readonly [name: string]: string } = {
  "otlp-spans/key-langfuse-observation-model-parameters": parameters,
  "otlp-spans/key-model-config": parameters
}
