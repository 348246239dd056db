// What makes the counter's pages quicker. Every page works without it.
"use strict";

(function () {
  var form = document.querySelector("form[data-suggest]");
  if (form) suggest(form);
  document.querySelectorAll("input[data-number]").forEach(group);
  document.querySelectorAll("form[data-wait]").forEach(wait);
  document.querySelectorAll("[data-print]").forEach(print);
  var outcome = document.querySelector('[data-outcome="pending"]');
  if (outcome) watch(document.getElementById("news"));
  var wrong = document.querySelector(".summary");
  if (wrong) wrong.focus();

  // A combobox with a list of suggestions (ARIA Authoring Practices, editable combobox with list autocomplete). What is typed
  // goes in a body, never in an address.
  function suggest(form) {
    var input = form.querySelector("#text");
    var box = input.parentNode;
    var list = document.createElement("ul");
    var status = document.createElement("p");
    var matter = document.createElement("input");
    var found = [];
    var active = -1;
    var timer = 0;
    var turn = 0;

    list.id = "suggestions";
    list.className = "combo-list";
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", input.labels[0].textContent);
    status.className = "hidden";
    status.setAttribute("role", "status");
    matter.type = "hidden";
    matter.name = "matter";
    box.append(list, status, matter);
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", list.id);
    close();

    input.addEventListener("input", function (event) {
      matter.value = "";
      window.clearTimeout(timer);
      // Not while characters are still being composed.
      if (!event.isComposing) timer = window.setTimeout(look, 250);
    });
    input.addEventListener("compositionend", function () {
      window.clearTimeout(timer);
      timer = window.setTimeout(look, 250);
    });
    input.addEventListener("blur", function () { window.setTimeout(close, 150); });
    input.addEventListener("keydown", function (event) {
      if (event.isComposing || list.hidden && event.key !== "ArrowDown") return;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (list.hidden) { if (found.length) open(); else look(); return; }
        move(event.key === "ArrowDown" ? 1 : -1);
      } else if (event.key === "Escape") {
        event.preventDefault();
        close();
      } else if (event.key === "Enter" && active >= 0) {
        event.preventDefault();
        choose(active);
      } else if (event.key === "Tab") {
        close();
      }
    });

    function look() {
      var text = input.value.trim();
      var mine = ++turn;
      if (!text || text.length > 500) { found = []; close(); status.textContent = ""; return; }
      fetch("/v1/triage", {
        method: "POST",
        credentials: "omit",
        headers: { "content-type": "application/json", "accept-language": document.documentElement.lang },
        body: JSON.stringify({ text: text })
      }).then(function (reply) { return reply.ok ? reply.json() : null; }).then(function (reply) {
        if (mine !== turn || !reply || document.activeElement !== input) return;
        show(reply.matters);
      }).catch(function () { /* Suggestions are a help, not a need. */ });
    }

    function show(matters) {
      found = matters.slice(0, 6);
      active = -1;
      list.textContent = "";
      found.forEach(function (one, index) {
        var item = document.createElement("li");
        var how = document.createElement("span");
        item.id = "suggestion-" + index;
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", "false");
        item.textContent = one.name;
        how.textContent = form.getAttribute("data-" + one.disposition) || "";
        item.append(how);
        item.addEventListener("mousedown", function (event) { event.preventDefault(); });
        item.addEventListener("click", function () { choose(index); });
        list.append(item);
      });
      if (found.length) open(); else close();
      status.textContent = found.length === 0 ? form.dataset.none
        : found.length === 1 ? form.dataset.one : form.dataset.some.replace("{count}", found.length);
    }

    function open() {
      list.hidden = false;
      input.setAttribute("aria-expanded", "true");
    }

    function close() {
      list.hidden = true;
      active = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    }

    function move(by) {
      var items = list.children;
      if (active >= 0) items[active].setAttribute("aria-selected", "false");
      // One step past either end is the text itself.
      active = active + by;
      if (active >= items.length) active = -1;
      if (active < -1) active = items.length - 1;
      if (active < 0) { input.removeAttribute("aria-activedescendant"); return; }
      items[active].setAttribute("aria-selected", "true");
      items[active].scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", items[active].id);
    }

    function choose(index) {
      matter.value = found[index].id;
      close();
      form.submit();
    }
  }

  // An ID number in the groups of the card, once it is complete and left.
  function group(input) {
    input.addEventListener("blur", function () {
      var plain = input.value.normalize("NFKC").replace(/[\s\-_.\u200b-\u200f\u202a-\u202e\ufeff]/g, "").toUpperCase();
      if (/^\d{17}[\dX]$/.test(plain)) input.value = plain.slice(0, 6) + " " + plain.slice(6, 14) + " " + plain.slice(14);
    });
  }

  // Whoever has asked sees that something happens. A second click asks nothing again: the server sees to that.
  function wait(form) {
    form.addEventListener("submit", function () {
      var told = form.querySelector(".wait");
      if (told) told.textContent = form.getAttribute("data-wait");
    });
  }

  function print(button) {
    button.hidden = false;
    button.addEventListener("click", function () { window.print(); });
  }

  // Looks for the result of a question that takes longer, and opens it when it is there.
  function watch(news) {
    window.setTimeout(function () {
      fetch(window.location.pathname, { credentials: "same-origin", headers: { accept: "text/html" } }).then(function (reply) {
        return reply.ok && !reply.redirected ? reply.text() : "";
      }).then(function (text) {
        if (!text) return;
        if (text.indexOf('data-outcome="pending"') >= 0) { watch(news); return; }
        news.textContent = news.getAttribute("data-ready");
        window.location.reload();
      }).catch(function () { watch(news); });
    }, 5000);
  }
}());
