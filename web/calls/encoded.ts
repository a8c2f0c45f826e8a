/** Characters that URLs may contain unescaped, but that chats, wikis and Markdown interpret. */
const MARKS = /[!'()*~]/g;
/** Characters that they take for the sentence's punctuation at a link's end. */
const ENDINGS = /[._]+$/;

/** Writes a value for a link, so that programs that find links in texts find all of it. */
export function encoded(value: string): string {
  return encodeURIComponent(value).replace(MARKS, escaped).replace(
    ENDINGS,
    (end) => Array.from(end, escaped).join(""),
  );
}

function escaped(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
