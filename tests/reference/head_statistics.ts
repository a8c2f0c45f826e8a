/**
 * Statistics of heads over a corpus in float64 and in plain loops, by their definitions: the middle link between the
 * reference data and the kernels. L layers, H heads, T tokens of a prompt, BOS at 0; targets are i = 1 .. T-1.
 */

/** A prompt and what every head does with it. */
export interface PatternsOfPrompt {
  /** The row of the corpus. */
  readonly index: number;
  readonly ids: readonly number[];
  /** (L, H, T, T) */
  readonly patterns: ArrayLike<number>;
}

const REACH = 32;
const TOP = 5;
const HEADVIS_THRESHOLD = 0.01;

interface Place {
  readonly prompt: number;
  readonly target: number;
  readonly source: number;
  readonly weight: number;
}

/** Everything that `stats.safetensors` has, by the same names, and HeadVis' metrics by theirs. */
export function headStatistics(
  prompts: readonly PatternsOfPrompt[],
  { layers: L, heads: H }: { readonly layers: number; readonly heads: number },
): Map<string, Float64Array> {
  const result = new Map<string, Float64Array>();
  const put = (name: string, size: number, at: number, value: number): void => {
    const numbers = result.get(name) ?? new Float64Array(size);
    result.set(name, numbers);
    numbers[at] = value;
  };
  for (let n = 0; n < L * H; n++) {
    const values = new Map<string, number[]>();
    const add = (name: string, value: number): void => {
      const list = values.get(name) ?? [];
      values.set(name, list);
      list.push(value);
    };
    const sum = (name: string): number => (values.get(name) ?? []).reduce((a, b) => a + b, 0);
    const mean = (name: string): number => sum(name) / (values.get(name)?.length ?? 0);
    const places: Place[] = [];
    for (const { index, ids, patterns } of prompts) {
      const T = ids.length;
      const A = (i: number, j: number): number => patterns[(n * T + i) * T + j]!;
      if (T >= 2) add("headvis.self", A(0, 0)), add("headvis.zero", 0);
      for (let i = 1; i < T; i++) {
        const row = Array.from({ length: i + 1 }, (_, j) => A(i, j));
        const rest = row.slice(1);
        const entropy = row.reduce((s, a) => a > 0 ? s - a * Math.log(a) : s, 0);
        const distance = row.reduce((s, a, j) => s + a * (i - j), 0);
        const largest = Math.max(...row);
        add("previous_token", row[i - 1]!);
        add("bos", row[0]!);
        add("self", row[i]!), add("headvis.self", row[i]!);
        add("entropy", entropy);
        add("distance", distance);
        add("squared", row.reduce((s, a, j) => s + a * (i - j) ** 2, 0));
        add("max", largest);
        const top = row.indexOf(largest);
        add("top_is_bos", top === 0 ? 1 : 0);
        add("top_is_previous", top === i - 1 ? 1 : 0);
        add("top_is_self", top === i ? 1 : 0);
        add("mass", rest.reduce((s, a) => s + a, 0));
        add("reach", rest.reduce((s, a, at) => s + a * (i - at - 1), 0));
        add("top", Math.max(...rest));
        const earlier = row.map((_, p) => p).filter((p) => p < i && ids[p] === ids[i]);
        const ours = earlier.filter((p) => p >= 1 && p + 1 < i);
        if (ours.length > 0) add("induction", ours.reduce((s, p) => s + row[p + 1]!, 0));
        if (earlier.length > 0) {
          const strong = earlier.map((p) => row[p + 1]!).filter((a) => a >= HEADVIS_THRESHOLD);
          add("headvis.induction", strong.reduce((s, a) => s + a, 0));
        }
        row.forEach((weight, source) => {
          if (i - source < REACH) add(`by_distance.${i - source}`, weight);
          if (source === 0) return;
          if (i - source < REACH) add(`by_distance_no_bos.${i - source}`, weight);
          places.push({ prompt: index, target: i, source, weight });
        });
      }
    }
    const moments = ["previous_token", "bos", "self", "entropy", "distance", "max", "induction"];
    for (const name of moments) {
      const m = mean(name);
      const squares = (values.get(name) ?? []).map((x) => (x - m) ** 2);
      put(`${name}.mean`, L * H, n, m);
      put(`${name}.variance`, L * H, n, squares.reduce((a, b) => a + b, 0) / squares.length);
    }
    for (const name of ["top_is_bos", "top_is_previous", "top_is_self"]) {
      put(name, L * H, n, mean(name));
    }
    put("top_share_no_bos", L * H, n, sum("top") / sum("mass"));
    put("distance_no_bos", L * H, n, sum("reach") / sum("mass"));
    for (let d = 0; d < REACH; d++) {
      for (const name of ["by_distance", "by_distance_no_bos"]) {
        put(name, L * H * REACH, n * REACH + d, mean(`${name}.${d}`));
      }
    }
    const positions = (values.get("headvis.self") ?? []).length;
    const headvisDistance = sum("distance") / positions;
    put("self_attention_score", L * H, n, mean("headvis.self"));
    put("prev_token_score", L * H, n, mean("previous_token"));
    put("pattern_entropy", L * H, n, sum("entropy") / positions);
    put("qk_distance", L * H, n, headvisDistance);
    put("qk_distance_variance", L * H, n, sum("squared") / positions - headvisDistance ** 2);
    put("induction_score", L * H, n, mean("headvis.induction"));
    places.sort((a, b) =>
      b.weight - a.weight || a.prompt - b.prompt || a.target - b.target || a.source - b.source
    );
    const seen = new Set<number>();
    const firsts = places.filter(({ prompt }) => !seen.has(prompt) && seen.add(prompt));
    for (const [name, list] of [["examples", places], ["examples_by_prompt", firsts]] as const) {
      list.slice(0, TOP).forEach(({ prompt, target, source, weight }, rank) => {
        const at = n * TOP + rank;
        put(`${name}.weight`, L * H * TOP, at, weight);
        [prompt, target, source].forEach((value, axis) =>
          put(`${name}.where`, L * H * TOP * 3, 3 * at + axis, value)
        );
      });
    }
  }
  for (let l = 0; l < L; l++) {
    const shares = Array.from({ length: REACH }, () => [] as number[]);
    for (const { ids: { length: T }, patterns } of prompts) {
      for (let i = 1; i < T; i++) {
        const row = new Float64Array(i + 1);
        for (let h = 0; h < H; h++) {
          for (let j = 1; j <= i; j++) row[j]! += patterns[((l * H + h) * T + i) * T + j]! / H;
        }
        const rest = row.reduce((a, b) => a + b);
        for (let j = 1; j <= i; j++) {
          if (i - j < REACH) shares[i - j]!.push(rest > 0 ? row[j]! / rest : 0);
        }
      }
    }
    shares.forEach((list, d) =>
      put(
        "flow_by_distance",
        L * REACH,
        l * REACH + d,
        list.reduce((a, b) => a + b, 0) / list.length,
      )
    );
  }
  return result;
}
