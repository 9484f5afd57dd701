// The frame: "/" goes to the search, menus close, a form is sent once.
'use strict';
{
  const typing = (element) => element.closest('input, textarea, select, [contenteditable]') !== null;

  document.addEventListener('keydown', (event) => {
    if (event.key === '/' && !event.ctrlKey && !event.metaKey && !event.altKey && !typing(event.target)) {
      const field = document.getElementById('frame-search');
      if (field && field.offsetParent !== null) {
        event.preventDefault();
        field.focus();
        field.select();
      }
    }
    if (event.key === 'Escape') {
      const open = event.target.closest('details.menu[open]') || document.querySelector('details.menu[open]');
      if (open) {
        open.open = false;
        open.querySelector('summary').focus();
      }
    }
  });

  // Without a script the colours follow the system, so nothing is offered then.
  for (const toggle of document.querySelectorAll('button.theme-toggle')) {
    toggle.hidden = false;
  }

  // A click beside an open menu closes it.
  document.addEventListener('click', (event) => {
    for (const menu of document.querySelectorAll('details.menu[open]')) {
      if (!menu.contains(event.target)) {
        menu.open = false;
      }
    }
  });

  // select2 names its choosers after their value only: give them the field's label.
  const nameChooser = (chooser) => {
    const select = chooser.closest('.select2-container').previousElementSibling;
    const label = select && select.labels && select.labels[0];
    for (const part of label ? [chooser, ...chooser.querySelectorAll('[role="textbox"]')] : []) {
      part.setAttribute('aria-label', label.textContent.trim());
    }
  };
  if (document.querySelector('.admin-autocomplete')) {
    new MutationObserver(() => {
      document.querySelectorAll('.select2-selection:not([aria-label])').forEach(nameChooser);
    }).observe(document.body, { childList: true, subtree: true });
  }

  // A double click sends a form once; coming back to the page makes it usable again.
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (form.method !== 'post' || event.defaultPrevented) {
      return;
    }
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = 'yes';
  });
  window.addEventListener('pageshow', () => {
    for (const form of document.querySelectorAll('form[data-sent]')) {
      delete form.dataset.sent;
    }
  });
}
