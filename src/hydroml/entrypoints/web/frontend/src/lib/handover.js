// A step that another page has made for a session: the Studio takes it up when it opens.
const key = (session) => `hydroml.step.${session}`;

export const handOver = (session, step) => sessionStorage.setItem(key(session), JSON.stringify(step));

/** The step, once. */
export function takeOver(session) {
  const text = sessionStorage.getItem(key(session));
  sessionStorage.removeItem(key(session));
  return text ? JSON.parse(text) : null;
}
