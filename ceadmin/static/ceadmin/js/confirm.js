// Typed confirmation: <input data-confirm="REVOKE 214"> keeps the form's [data-confirmed] button
// disabled until the words stand there. Without this script the server alone decides.
'use strict';
{
  for (const field of document.querySelectorAll('input[data-confirm]')) {
    const button = field.form.querySelector('[data-confirmed]');
    const check = () => {
      button.disabled = field.value.trim().replace(/\s+/g, ' ') !== field.dataset.confirm;
    };
    field.addEventListener('input', check);
    window.addEventListener('pageshow', check);
    check();
  }
}
