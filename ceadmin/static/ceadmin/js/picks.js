// A selection that survives turning pages: what is ticked is kept for this tab and this question,
// ticked again where it is shown, and sent along from where it is not. Without this script the
// ticks of one page count.
'use strict';
{
  const bar = document.querySelector('[data-picks]');
  const form = bar && bar.closest('form');

  const kept = () => {
    try {
      return new Map(JSON.parse(sessionStorage.getItem(`picks ${bar.dataset.picks}`) || '[]'));
    } catch {
      return new Map();
    }
  };

  const begin = () => {
    const boxes = Array.from(form.querySelectorAll('input.action-select'));
    const toggle = document.getElementById('action-toggle');
    const across = form.querySelector('input[name="select_across"]');
    const others = form.querySelector('input[name="ticked"]');
    const told = bar.querySelector('[data-picked]');
    const clear = bar.querySelector('[data-clear]');
    const invitation = told.textContent;
    const most = Number(bar.dataset.most);
    const page = window.location.search;
    let picked = kept();
    let last = null;

    const words = () => {
      if (across && across.checked) {
        return bar.dataset.all;
      }
      if (!picked.size) {
        return invitation;
      }
      const pages = new Set(picked.values()).size;
      const text = picked.size > most ? bar.dataset.full : bar.dataset[pages > 1 ? 'pages' : 'one'];
      return text.replace('%n', picked.size.toLocaleString()).replace('%p', pages);
    };

    const show = () => {
      for (const box of boxes) {
        box.checked = picked.has(box.value);
      }
      if (toggle) {
        toggle.checked = boxes.length > 0 && boxes.every((box) => box.checked);
      }
      const here = new Set(boxes.map((box) => box.value));
      others.value = Array.from(picked.keys()).filter((pk) => !here.has(pk)).join(',');
      told.textContent = words();
      clear.hidden = !picked.size && !(across && across.checked);
    };

    const keep = () => {
      try {
        sessionStorage.setItem(`picks ${bar.dataset.picks}`, JSON.stringify(Array.from(picked)));
      } catch {
        // Full, or switched off: the ticks of this page still count.
      }
      show();
    };

    const set = (box, on) => {
      if (on) {
        picked.set(box.value, page);
      } else {
        picked.delete(box.value);
      }
    };

    form.addEventListener('click', (event) => {
      const box = event.target;
      if (!boxes.includes(box)) {
        return;
      }
      const [from, to] = [boxes.indexOf(event.shiftKey && last ? last : box), boxes.indexOf(box)];
      boxes.slice(Math.min(from, to), Math.max(from, to) + 1).forEach((one) => set(one, box.checked));
      last = box;
      keep();
    });
    if (toggle) {
      toggle.addEventListener('click', () => {
        boxes.forEach((box) => set(box, toggle.checked));
        keep();
      });
    }
    if (across) {
      across.addEventListener('change', show);
    }
    clear.addEventListener('click', () => {
      picked = new Map();
      if (across) {
        across.checked = false;
      }
      keep();
    });
    // Coming back, or another list of this tab: what counts is what is kept.
    window.addEventListener('pageshow', () => {
      picked = kept();
      show();
    });
    // What the page itself ticked, such as the rows of a draft that somebody comes back from.
    const given = boxes.filter((box) => box.defaultChecked);
    if (given.length && !picked.size) {
      given.forEach((box) => set(box, true));
      keep();
    } else {
      show();
    }
  };

  if (form) {
    begin();
  }
}
