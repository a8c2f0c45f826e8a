import type { SaeConfig } from "./sae_config.ts";

/** Says in words what is done to the stored model's activation before an autoencoder sees it. */
export function conversionInWords(config: SaeConfig): string {
  const { conversion, normalization, site, factor } = config;
  const steps: string[] = [];
  if (site === "LN2_NORMALIZED") {
    steps.push("normed by ln_2 without its gain and bias");
  } else if (site === "Z") {
    if (conversion.isValueBiasFolded) {
      steps.push(
        conversion.isNormFolded
          ? "minus the values' bias, ln_1's bias through W_V included"
          : "minus the values' bias",
      );
    }
  } else if (conversion.isCentred) {
    steps.push("minus its mean over channels");
  }
  switch (normalization) {
    case "layer_norm":
      steps.push("minus its mean, divided by its standard deviation (n - 1) + 1e-5");
      break;
    case "constant_norm_rescale":
      steps.push("scaled to a norm of sqrt(n)");
      break;
    case "expected_average_only_in":
      steps.push(`times ${factor}`);
  }
  return `${config.hook} of the stored model, ${steps.length > 0 ? steps.join(", ") : "as it is"}`;
}
