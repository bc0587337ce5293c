/** How well a name fits what was typed (in small letters): 4 it is that, 3 it begins so, 2 a word of it does, 1 it holds it, −1 it does not. */
export function rank(name, typed) {
  const text = name.toLowerCase();
  if (!text.includes(typed)) return -1;
  if (text === typed) return 4;
  if (text.startsWith(typed)) return 3;
  return text.includes(` ${typed}`) ? 2 : 1;
}
