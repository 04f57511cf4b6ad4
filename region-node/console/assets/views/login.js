// Asks for the admin token, where the region node wants one.  The token lies in the daemons' admin_token_file.

import { h, sheet } from '../lib/dom.js';
import { unlock } from '../lib/deployment.js';
import { held } from '../lib/token.js';

export default {
  title: 'Sign in',
  // `entered()` is called once the token is right.
  mount(root, entered) {
    const problem = h('p', { id: 'login-problem', class: 'word bad', role: 'alert' });
    const input = h('input', { name: 'token', type: 'password', required: true, autocomplete: 'current-password', spellcheck: 'false',
      autocapitalize: 'off', 'aria-describedby': 'login-problem' });
    const button = h('button', { class: 'main' }, 'Sign in');
    const say = (text) => {
      problem.textContent = text;
      if (text) input.setAttribute('aria-invalid', 'true');
      else input.removeAttribute('aria-invalid');
    };
    if (held()) say('This region wants another token now.');

    async function enter(event) {
      event.preventDefault();
      button.disabled = true;
      say('');
      try {
        await unlock(input.value.trim());
        entered();
      } catch (failure) {
        say(failure.status === 401 ? 'This is not the token of this region.' : `The region node does not answer (${failure.message}).`);
        input.select();
        input.focus();
      } finally { button.disabled = false; }
    }

    root.append(h('h1', {}, 'Meridian'), sheet('Sign in', null,
      h('p', {}, 'This deployment is operated by those who hold its admin token: the line in the file that its settings name as ', h('code', {}, 'admin_token_file'), '.'),
      h('form', { class: 'inline', onsubmit: enter }, h('label', {}, 'Token', input), button), problem));
    input.focus();
    return {};
  },
};
