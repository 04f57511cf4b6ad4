// The admin token of the deployment: kept for this tab alone, and shown with every call.  (Not a cookie: those
// do not know ports, so every service of this host would be sent it.)

const NAME = 'meridian-admin-token';

let token = '';
try { token = sessionStorage.getItem(NAME) ?? ''; } catch { /* the browser forbids it: asked for at each load */ }

export const held = () => token !== '';

export function keep(given) {
  token = given;
  try {
    if (given) sessionStorage.setItem(NAME, given);
    else sessionStorage.removeItem(NAME);
  } catch { /* as above */ }
}

// Of a call; `given` is tried instead of what is kept.
export const shown = (given) => {
  const what = given ?? token;
  return what ? { Authorization: `Bearer ${what}` } : {};
};
