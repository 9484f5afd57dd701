// Live parts: <section data-live-url="…"> asks for JSON and changes its parts in place.
//
//   data-live="key"          the text
//   data-live-html="key"     a fragment that the server rendered
//   data-live-class="key"    one class, instead of the one it gave before
//   data-live-value="key"    value of a <progress>; data-live-max="key" its maximum
//   data-live-href="key"     the address of a link
//   data-live-show="key"     shown while the value says yes; data-live-hide the other way
//   data-live-summary="key"  read out politely, at most every few seconds
//   data-live-offline        shown while the server cannot be reached
//   data-live-refused        shown once the server answers no more: signed out, or no right to see it
//
// A key may be a path: "providers.box.done". The answer's "done": true ends the asking,
// "goto": "…" leaves for another page. Asking slows down while nothing changes and stops
// while the page is hidden.
'use strict';
{
  const FAST = 1000;
  const SLOW = 10000;
  const OFFLINE = 30000;
  const SPEAK = 6000;
  // Asking again changes nothing about these; a redirect leads to the sign-in.
  const REFUSALS = [401, 403, 404];

  const read = (data, path) => path.split('.').reduce(
    (value, part) => (value === null || value === undefined ? undefined : value[part]), data,
  );

  const setText = (element, value) => {
    const text = String(value);
    if (element.textContent !== text) {
      element.textContent = text;
    }
  };

  const setHtml = (element, value) => {
    if (element.liveHtml === value) {
      return;
    }
    element.liveHtml = value;
    const focused = element.contains(document.activeElement) ? document.activeElement.id : '';
    const open = Array.from(element.querySelectorAll('details[id][open]'), (one) => one.id);
    element.innerHTML = value;
    for (const id of open) {
      const details = document.getElementById(id);
      if (details) {
        details.open = true;
      }
    }
    if (focused && document.getElementById(focused)) {
      document.getElementById(focused).focus();
    }
    element.dispatchEvent(new CustomEvent('ceadmin:changed', { bubbles: true }));
  };

  const setClass = (element, value) => {
    if (element.liveClass !== value) {
      element.classList.remove(element.liveClass || element.dataset.liveClassNow || '-');
      element.classList.add(value);
      element.liveClass = value;
    }
  };

  const WRITERS = {
    live: setText,
    liveHtml: setHtml,
    liveClass: setClass,
    liveValue: (element, value) => { element.value = value; },
    liveMax: (element, value) => { element.max = value; },
    liveHref: (element, value) => { element.href = value; },
    liveShow: (element, value) => { element.hidden = !value; },
    liveHide: (element, value) => { element.hidden = Boolean(value); },
  };

  const attribute = (name) => `data-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

  const start = (root) => {
    let wait = FAST;
    let before = '';
    let timer = 0;
    let spoken = 0;
    let over = false;

    const write = (data) => {
      for (const [name, writer] of Object.entries(WRITERS)) {
        for (const element of root.querySelectorAll(`[${attribute(name)}]`)) {
          const value = read(data, element.dataset[name]);
          if (value !== undefined && value !== null) {
            writer(element, value);
          }
        }
      }
    };

    const speak = (data) => {
      if (!data.done && Date.now() - spoken < SPEAK) {
        return;
      }
      for (const element of root.querySelectorAll('[data-live-summary]')) {
        const value = read(data, element.dataset.liveSummary);
        if (value !== undefined && element.textContent !== String(value)) {
          element.textContent = value;
          spoken = Date.now();
        }
      }
    };

    const offline = (is) => {
      for (const element of root.querySelectorAll('[data-live-offline]')) {
        element.hidden = !is;
      }
    };

    const refused = () => {
      over = true;
      offline(false);
      for (const element of root.querySelectorAll('[data-live-refused]')) {
        element.hidden = false;
      }
    };

    const later = () => {
      clearTimeout(timer);
      if (!over && !document.hidden) {
        timer = setTimeout(ask, wait);
      }
    };

    const take = (text) => {
      wait = text === before ? Math.min(wait * 1.5, SLOW) : FAST;
      if (text !== before) {
        before = text;
        const data = JSON.parse(text);
        write(data);
        speak(data);
        over = data.done === true;
        if (data.goto) {
          over = true;
          window.location.assign(data.goto);
        }
      }
      offline(false);
    };

    async function ask() {
      try {
        const answer = await fetch(root.dataset.liveUrl, {
          headers: { Accept: 'application/json' }, credentials: 'same-origin', cache: 'no-store',
        });
        if (answer.redirected || REFUSALS.includes(answer.status)) {
          refused();
          return;
        }
        if (!answer.ok || !(answer.headers.get('Content-Type') || '').includes('json')) {
          throw new Error(`answered ${answer.status}`);
        }
        take(await answer.text());
      } catch {
        wait = Math.min(wait * 2, OFFLINE);
        offline(true);
      }
      later();
    }

    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) {
        wait = FAST;
        clearTimeout(timer);
        if (!over) {
          ask();
        }
      } else {
        clearTimeout(timer);
      }
    });
    later();
  };

  document.querySelectorAll('[data-live-url]').forEach(start);
}
