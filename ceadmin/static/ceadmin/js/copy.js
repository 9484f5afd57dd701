// Copy buttons: <button data-copy="id-of-the-text" hidden> or data-copy-text="…".
'use strict';
{
  const said = document.createElement('p');
  said.className = 'visually-hidden';
  said.setAttribute('role', 'status');

  const write = async (text) => {
    if (navigator.clipboard && window.isSecureContext) {
      return navigator.clipboard.writeText(text);
    }
    const field = document.createElement('textarea');
    field.value = text;
    field.className = 'visually-hidden';
    document.body.append(field);
    field.select();
    document.execCommand('copy');
    field.remove();
    return undefined;
  };

  const textOf = (button) => {
    if (button.dataset.copyText !== undefined) {
      return button.dataset.copyText;
    }
    const source = document.getElementById(button.dataset.copy);
    return source.value === undefined ? source.textContent : source.value;
  };

  const show = (root) => {
    for (const button of root.querySelectorAll('[data-copy], [data-copy-text]')) {
      button.hidden = false;
    }
  };

  document.addEventListener('click', async (event) => {
    const button = event.target.closest('[data-copy], [data-copy-text]');
    if (!button) {
      return;
    }
    await write(textOf(button));
    const label = button.querySelector('span') || button;
    const before = button.dataset.before || label.textContent;
    button.dataset.before = before;
    label.textContent = button.dataset.copied || 'Copied';
    said.textContent = label.textContent;
    setTimeout(() => { label.textContent = before; }, 1600);
  });

  document.addEventListener('ceadmin:changed', (event) => show(event.target));
  document.body.append(said);
  show(document);
}
