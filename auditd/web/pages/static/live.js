// Keeps an open page up to date: it is told that something changed, fetches the page again and
// puts the new <main> in the place of the old one. Without it every page works, and stays as it is.
"use strict";

(() => {
  const events = document.body.dataset.events;
  const state = document.getElementById("live");
  const button = document.getElementById("pause");
  if (!events || !window.EventSource) return;

  const AGES_MS = 30_000; // "5 min ago" must not grow old itself
  const SHARE = 4; // of the time at most a quarter is spent on fetching
  const LOST_MS = 20_000;
  let source = null;
  let shown = document.getElementById("main").dataset.version;
  let wanted = shown;
  let isPaused = false;
  let isFetching = false;
  let isStale = false;
  let quietUntil = 0;
  let fetchedAt = Date.now();
  let timer = 0;
  let lostTimer = 0;

  function say(name) {
    if (state.className === `live ${name}` && !state.hidden) return;
    const word = { on: "live", off: "paused", lost: "lost" }[name];
    state.className = `live ${name}`;
    state.textContent = state.dataset[word];
    state.hidden = false;
    button.hidden = false;
    button.textContent = isPaused ? button.dataset.resume : button.dataset.pause;
  }

  function open() {
    if (source || isPaused || document.hidden) return;
    source = new EventSource(events);
    source.onopen = () => { clearTimeout(lostTimer); lostTimer = 0; say("on"); };
    source.onmessage = (message) => { wanted = message.data; plan(); };
    source.onerror = () => {
      lostTimer = lostTimer || setTimeout(() => say("lost"), LOST_MS);
      if (source && source.readyState === EventSource.CLOSED) {
        source = null; // refused, so the browser does not try again by itself
        say("lost");
        setTimeout(open, LOST_MS);
      }
    };
  }

  function close() {
    if (source) source.close();
    source = null;
    clearTimeout(lostTimer);
    lostTimer = 0;
    clearTimeout(timer);
  }

  function plan() {
    clearTimeout(timer);
    if (isPaused || document.hidden) return;
    const isDue = isStale || wanted !== shown;
    const wait = isDue ? quietUntil - Date.now() : fetchedAt + AGES_MS - Date.now();
    timer = setTimeout(update, Math.max(wait, 0));
  }

  // Whoever marks text or has a list of choices open is not disturbed.
  function isBusy() {
    const selection = document.getSelection();
    const active = document.activeElement;
    return (selection && !selection.isCollapsed && document.getElementById("main").contains(selection.anchorNode)) ||
      (active && active.tagName === "SELECT");
  }

  async function update() {
    if (isFetching) return;
    if (isBusy()) { isStale = true; timer = setTimeout(update, 1000); return; }
    isFetching = true;
    const started = Date.now();
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("main");
      if (fresh && !isBusy()) {
        replace(fresh);
        document.title = page.title;
        shown = fresh.dataset.version || wanted; // a page that is gone follows nothing
        isStale = false;
      }
    } catch {
      say("lost");
      isStale = true;
    }
    fetchedAt = Date.now();
    quietUntil = fetchedAt + Math.max(1000, SHARE * (fetchedAt - started));
    isFetching = false;
    plan();
  }

  function replace(fresh) {
    const old = document.getElementById("main");
    const kept = remember(old);
    old.replaceWith(document.adoptNode(fresh));
    recall(fresh, kept);
  }

  // What a person did to the page: typed, opened, scrolled, stood somewhere.
  function remember(main) {
    const active = document.activeElement;
    const isInside = main.contains(active) && active !== main;
    return {
      y: scrollY,
      scrolls: [...main.querySelectorAll(".scroll")].map((box) => box.scrollLeft),
      open: [...main.querySelectorAll("details[open][id]")].map((box) => box.id),
      fields: [...main.querySelectorAll("input[id], textarea[id], select[id]")].filter(isTouched)
        .map((field) => [field.id, field.value]),
      focus: isInside ? place(main, active) : null,
      caret: isInside && "selectionStart" in active
        ? [active.selectionStart, active.selectionEnd] : null,
    };
  }

  function recall(main, kept) {
    for (const id of kept.open) find(main, id, (box) => { box.open = true; });
    for (const [id, value] of kept.fields) find(main, id, (field) => { field.value = value; });
    main.querySelectorAll(".scroll").forEach((box, index) => {
      box.scrollLeft = kept.scrolls[index] || 0;
    });
    const focused = kept.focus && lookUp(main, kept.focus);
    if (focused) {
      focused.focus({ preventScroll: true });
      if (kept.caret && kept.caret[0] !== null) focused.setSelectionRange(...kept.caret);
    } else if (kept.focus) {
      main.focus({ preventScroll: true });
    }
    scrollTo({ top: kept.y, behavior: "instant" });
  }

  function isTouched(field) {
    return field.tagName === "SELECT"
      ? [...field.options].some((option) => option.selected !== option.defaultSelected)
      : field.value !== field.defaultValue;
  }

  function find(main, id, use) {
    const found = document.getElementById(id);
    if (found && main.contains(found)) use(found);
  }

  // An element without an id is known by what it leads to, or by where it stands.
  function place(main, element) {
    const same = [...main.querySelectorAll(element.tagName)];
    return { id: element.id, tag: element.tagName, href: element.getAttribute("href"), index: same.indexOf(element) };
  }

  function lookUp(main, wantedPlace) {
    if (wantedPlace.id) return document.getElementById(wantedPlace.id);
    const same = [...main.querySelectorAll(wantedPlace.tag)];
    if (wantedPlace.href === null) return same[wantedPlace.index];
    const alike = same.filter((one) => one.getAttribute("href") === wantedPlace.href);
    return alike.includes(same[wantedPlace.index]) ? same[wantedPlace.index] : alike[0];
  }

  button.addEventListener("click", () => {
    isPaused = !isPaused;
    if (isPaused) { close(); say("off"); } else { isStale = true; say("on"); open(); plan(); }
  });
  // A hidden page gives its connection back: a browser has six of them for one server.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) close(); else { isStale = true; open(); plan(); }
  });
  open();
  plan();
})();
