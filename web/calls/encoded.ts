/** What URLs would do without, but chats, wikis and Markdown take for their own. */
const MARKS = /[!'()*~]/g;
/** What they take for the sentence's where a link ends in it. */
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
