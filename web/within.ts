import type { PageState } from "./page_state.ts";
import type { ModelCard, ServerCard } from "./server/reading.ts";

/** The part of a state that this server has: a link may ask for a model, or a layer, that it does not have. */
export function within(
  state: PageState,
  { models }: ServerCard,
): { state: PageState; notes: readonly string[]; model: ModelCard } {
  const asked = models.find(({ name }) => name === state.model);
  const model = asked ?? models[0]!;
  const notes: string[] = [];
  if (state.model !== undefined && !asked) {
    notes.push(`There is no model ${state.model} here: ${model.name} answers.`);
  }
  const { layer, head } = state;
  if (layer !== undefined && layer >= model.layers) {
    notes.push(
      `There is no layer ${layer} here: ${model.name} has layers 0 to ${model.layers - 1}.`,
    );
  }
  if (head !== undefined && head >= model.heads) {
    notes.push(`There is no head ${head} here: ${model.name} has heads 0 to ${model.heads - 1}.`);
  }
  return {
    model,
    notes,
    state: {
      ...state,
      // The first is not named, so that links say no more than they must.
      model: model === models[0] ? undefined : model.name,
      layer: layer !== undefined && layer < model.layers ? layer : undefined,
      head: head !== undefined && head < model.heads ? head : undefined,
    },
  };
}
