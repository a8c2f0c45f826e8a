const percent = new Intl.NumberFormat("en", { style: "percent", maximumSignificantDigits: 3 });
const whole = new Intl.NumberFormat("en");

/** A weight as people read it, such as `11.2%`. */
export function share(weight: number): string {
  if (weight > 0 && weight < 0.0001) return "<0.01%";
  return percent.format(weight < 0.1 ? Number(weight.toFixed(4)) : Number(weight.toFixed(3)));
}

/** A count, such as `1,024`. */
export function count(number: number): string {
  return whole.format(number);
}
