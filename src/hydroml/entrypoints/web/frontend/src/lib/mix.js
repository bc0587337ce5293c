/** One object out of several, with their getters alive (a spread would freeze what they answered). */
export function mix(...parts) {
  const whole = {};
  for (const part of parts) Object.defineProperties(whole, Object.getOwnPropertyDescriptors(part));
  return whole;
}
