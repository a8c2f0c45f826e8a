/** Prompts to begin with, each good for seeing something. */
export const EXAMPLES: readonly { readonly name: string; readonly prompt: string }[] = [
  { name: "Who gets it?", prompt: "Mary and John went to the store. John gave the cart to" },
  {
    name: "Repetition",
    prompt: "The cat sat on the mat, and then the dog came. The cat sat on the mat, and then the",
  },
  { name: "Agreement", prompt: "The keys to the old wooden cabinet in the hall are" },
  { name: "Code", prompt: "def add(a, b):\n    return a + b\n\ndef subtract(a, b):\n    return a" },
  { name: "Many scripts", prompt: "naïve 🍣 مرحبا שלום 日本語 👩🏽‍🚀" },
];
