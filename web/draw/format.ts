const percent = (digits: number): Intl.NumberFormat =>
  new Intl.NumberFormat("en", {
    style: "percent",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
const [coarse, fine, tick] = [
  percent(1),
  percent(2),
  new Intl.NumberFormat("en", { style: "percent", maximumSignificantDigits: 3 }),
];
const whole = new Intl.NumberFormat("en");

/** A weight as people read it, such as `11.2%`. */
export function share(weight: number): string {
  if (weight > 0 && weight < 0.0001) return "<0.01%";
  return (weight < 0.0995 ? fine : coarse).format(weight);
}

/** A difference of weights, such as `+1.20%`. */
export function change(difference: number): string {
  if (Math.abs(difference) < 0.00005) return "±0%";
  return `${difference < 0 ? "−" : "+"}${share(Math.abs(difference))}`;
}

/** A weight beside a scale, as short as it can be. */
export function tickOf(weight: number): string {
  return tick.format(weight);
}

/** How many times something is, such as `3.2×`. */
export function timesOf(weight: number): string {
  return weight === 0 ? "0" : `${Number(weight.toPrecision(2))}×`;
}

/** An activation in three digits, such as `12.3`: autoencoders differ in their units. */
export function activationOf(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
  return value === 0 ? "0" : value.toFixed(digits);
}

/** A count, such as `1,024`. */
export function count(number: number): string {
  return whole.format(number);
}
