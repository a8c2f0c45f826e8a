import { type GroupSpec, Kernel, type Workgroups } from "./kernel.ts";

/** Values of a shader's `override` constants. */
export type Constants = Readonly<Record<string, number>>;

/** The host's side of a shader. */
export interface KernelSpec<
  Sizes,
  Values extends Constants,
  Groups extends readonly GroupSpec[],
  Work,
> {
  /** The stem of its file. */
  readonly name: string;
  readonly code: string;
  /** Makes its constants from a model's sizes. */
  readonly constants?: (sizes: Sizes) => Values;
  /** The bindings of each of its groups. */
  readonly groups: Groups;
  /** The number of workgroups, as in the shader's header. */
  readonly workgroups: (work: Work, constants: Values) => Workgroups;
}

/** A shader that can be compiled for a device. */
export interface KernelDefinition<Sizes, Groups extends readonly GroupSpec[], Work> {
  readonly name: string;
  readonly code: string;
  readonly groups: Groups;
  /**
   * Compiles it, or returns the kernel that was compiled with the same constants before.
   *
   * @throws As {@linkcode Kernel.compile} does.
   */
  create(
    device: GPUDevice,
    ...sizes: unknown extends Sizes ? [] : [sizes: Sizes]
  ): Promise<Kernel<Groups, Work>>;
}

/** The kernel that a definition is compiled to. */
export type KernelOf<Definition> = Definition extends
  KernelDefinition<never, infer Groups extends readonly GroupSpec[], infer Work>
  ? Kernel<Groups, Work>
  : never;

/**
 * Declares the host's side of a shader: its text, and three tables. `docs/design.md`, "To add a kernel", has an
 * example; `tests/gpu/shaders_test.ts` compares every declaration with its shader.
 */
export function defineKernel<
  Sizes,
  Values extends Constants,
  const Groups extends readonly GroupSpec[],
  Work,
>(spec: KernelSpec<Sizes, Values, Groups, Work>): KernelDefinition<Sizes, Groups, Work> {
  const { name, code, groups } = spec;
  const compiled = new WeakMap<GPUDevice, Map<string, Promise<Kernel<Groups, Work>>>>();
  return {
    name,
    code,
    groups,
    create(device, ...[sizes]): Promise<Kernel<Groups, Work>> {
      const constants = spec.constants?.(sizes as Sizes) ?? {} as Values;
      const known = compiled.get(device) ?? new Map<string, Promise<Kernel<Groups, Work>>>();
      compiled.set(device, known);
      const key = JSON.stringify(constants);
      const before = known.get(key);
      if (before) return before;
      const workgroups = (work: Work): Workgroups => spec.workgroups(work, constants);
      const made = Kernel.compile(device, { name, code, constants, groups }, workgroups);
      known.set(key, made);
      made.catch(() => known.delete(key));
      return made;
    },
  };
}
