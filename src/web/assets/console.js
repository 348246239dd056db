/* Keeps the part of a page that is marked with data-live up to date, and says so when it cannot. Without it, the page asks for
   itself every now and then. */
(function () {
  "use strict";
  var live = document.querySelector("[data-live]");
  if (!live || !window.EventSource || !window.DOMParser) { return; }
  var stream = null;
  var polling = null;
  var watch = null;

  /* The server tells of itself every two seconds, and the browser comes again after one: a silence that is longer is news. */
  var SILENCE = 5000;
  var POLL = 10000;

  /* What has changed takes the place of what was there; whoever has the focus keeps it. */
  function show(html) {
    var fresh = new DOMParser().parseFromString(html, "text/html");
    var parts = fresh.querySelectorAll("[data-part]");
    for (var i = 0; i < parts.length; i += 1) {
      var old = document.querySelector("[data-part=\"" + parts[i].getAttribute("data-part") + "\"]");
      if (!old || old.outerHTML === parts[i].outerHTML) { continue; }
      var focused = document.activeElement;
      var place = focused && old.contains(focused) ? focused.getAttribute("href") : null;
      if (old.getAttribute("role") === "status") {
        old.textContent = parts[i].textContent;
        continue;
      }
      old.parentNode.replaceChild(document.importNode(parts[i], true), old);
      if (place) {
        var again = document.querySelector("a[href=\"" + place + "\"]");
        if (again) { again.focus(); }
      }
    }
  }

  function heard(html) {
    show(html);
    live.classList.remove("lost");
    expect();
  }

  /* Nothing is heard: what is shown may not be so any more. */
  function lose() {
    if (live.classList.contains("lost")) { return; }
    live.classList.add("lost");
    var status = live.querySelector("[role=\"status\"]");
    var told = live.querySelector("[data-lost]");
    if (status && told) { status.textContent = told.textContent; }
  }

  function expect() {
    window.clearTimeout(watch);
    watch = window.setTimeout(lose, polling ? POLL + SILENCE : SILENCE);
  }

  function poll() {
    if (document.hidden) { return; }
    fetch(window.location.pathname, { credentials: "same-origin" }).then(function (reply) {
      if (reply.redirected) { window.location.reload(); return ""; }
      return reply.ok ? reply.text() : "";
    }).then(function (html) { if (html) { heard(html); } else { lose(); } }).catch(lose);
  }

  function close() {
    window.clearTimeout(watch);
    if (stream) { stream.close(); stream = null; }
  }

  function open() {
    if (stream || document.hidden) { return; }
    expect();
    if (polling) { poll(); return; }
    stream = new EventSource(live.getAttribute("data-live"));
    stream.addEventListener("page", function (event) { heard(event.data); });
    stream.addEventListener("end", function () { close(); window.location.reload(); });
    stream.addEventListener("error", function () {
      /* The browser comes again by itself, unless it was turned away: then there is no room for more streams. */
      if (stream && stream.readyState === EventSource.CLOSED) {
        close();
        polling = window.setInterval(poll, POLL);
        open();
      }
    });
  }

  /* A browser keeps few connections to one server: a page that nobody sees needs none. */
  document.addEventListener("visibilitychange", function () { if (document.hidden) { close(); } else { open(); } });
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", open);
  open();
}());
