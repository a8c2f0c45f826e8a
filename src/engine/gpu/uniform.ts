/** Makes a uniform buffer of a few words. */
export function makeUniform(
  device: GPUDevice,
  label: string,
  words: Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>,
): GPUBuffer {
  const size = Math.ceil(words.byteLength / 16) * 16;
  const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
  const buffer = device.createBuffer({ label, size, usage });
  device.queue.writeBuffer(buffer, 0, words);
  return buffer;
}
