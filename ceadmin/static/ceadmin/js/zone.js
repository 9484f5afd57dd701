// Offers the browser's time zone to whoever sees times in another one: <form data-zone="UTC" hidden>.
'use strict';
{
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const form of document.querySelectorAll('form[data-zone]')) {
    if (zone && zone !== form.dataset.zone) {
      const button = form.querySelector('button');
      button.textContent = button.dataset.label.replace('{zone}', zone);
      form.elements.time_zone.value = zone;
      form.hidden = false;
    }
  }
}
