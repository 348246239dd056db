// A QR code leads here with the code of a receipt behind "#". It is typed for the reader, taken out of the address, where it
// could be read over a shoulder or kept in the history, and sent.
(function () {
  "use strict";

  function take() {
    var code = window.location.hash.slice(1);
    var form = document.getElementById("check");
    var field = document.getElementById("code");
    if (!/^[0-9A-Za-z-]{20,60}$/.test(code) || !form || !field) {
      return;
    }
    window.history.replaceState(null, "", window.location.pathname);
    field.value = code;
    form.submit();
  }

  // The page may be open already when another code is scanned.
  window.addEventListener("hashchange", take);
  take();
})();
