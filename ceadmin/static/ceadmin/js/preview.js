// A live preview: <form data-preview="address"> posts itself there while somebody writes, and
// shows the answer in its [data-preview-region]. Without this script there is a button.
'use strict';
{
  const PAUSE = 500;

  const watch = (form) => {
    const region = form.querySelector('[data-preview-region]');
    let timer = 0;
    let newest = 0;

    const show = async () => {
      newest += 1;
      const mine = newest;
      const data = new FormData(form);
      data.delete('file');
      const answer = await fetch(form.dataset.preview, { method: 'POST', body: data });
      const text = await answer.text();
      if (answer.ok && mine === newest) {
        region.innerHTML = text;
        region.dispatchEvent(new CustomEvent('ceadmin:changed', { bubbles: true }));
      }
    };

    form.addEventListener('input', (event) => {
      if (region.contains(event.target) || ['why', 'file'].includes(event.target.name)) {
        return;
      }
      clearTimeout(timer);
      timer = setTimeout(() => { show().catch(() => {}); }, PAUSE);
    });
  };

  document.querySelectorAll('form[data-preview]').forEach(watch);
}
