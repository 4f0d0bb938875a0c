// Where one is, as the part of the address behind the #: reload, back and a link to anything work.

import { useEffect, useState } from '../view.js';

/** The names in an address, such as `["models", "heartbeat", "3"]`. @param {string} [hash] */
export function parts(hash = location.hash) {
  return hash.replace(/^#\/?/, '').split('/').filter(Boolean).map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
}

/** The address of what these names lead to. @param {...(string | number)} names */
export const href = (...names) => `#/${names.map((name) => encodeURIComponent(name)).join('/')}`;

/** Goes there. @param {...(string | number)} names */
export function go(...names) {
  const target = href(...names);
  if (location.hash === target) return;
  history.pushState(null, '', target);
  dispatchEvent(new Event('popstate'));
}

/** Where one is from now on; the address before it is not gone back to. @param {...(string | number)} names */
export function become(...names) {
  history.replaceState(history.state, '', href(...names));
  dispatchEvent(new Event('popstate'));
}

/** The names in the address, drawn again when it changes. @returns {string[]} */
export function useRoute() {
  const [route, setRoute] = useState(() => parts());
  useEffect(() => {
    const follow = () => setRoute((/** @type {string[]} */ was) => {
      const is = parts();
      return is.join('\n') === was.join('\n') ? was : is;
    });
    // It may have changed between the first drawing and now.
    follow();
    addEventListener('popstate', follow);
    addEventListener('hashchange', follow);
    return () => {
      removeEventListener('popstate', follow);
      removeEventListener('hashchange', follow);
    };
  }, []);
  return route;
}
