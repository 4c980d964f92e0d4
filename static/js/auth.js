/* Every request to our own origin carries a fresh ID token and the language of this document. Loads before htmx. */
(() => {
  const plain = window.fetch.bind(window);
  const PATIENCE = 10_000;

  const idToken = async () => {
    const until = Date.now() + PATIENCE;
    while (!window.shopify?.idToken) {
      if (Date.now() > until) throw new Error("App Bridge did not load");
      await new Promise((go) => setTimeout(go, 50));
    }
    return window.shopify.idToken();
  };

  const ours = (input) =>
    !(input instanceof Request) && new URL(input, document.baseURI).origin === location.origin;

  window.fetch = async (input, init = {}) => {
    if (!ours(input)) return plain(input, init);
    const send = async () => {
      const headers = new Headers(init.headers);
      headers.set("Authorization", `Bearer ${await idToken()}`);
      headers.set("X-Locale", document.documentElement.lang);
      return plain(input, { ...init, headers });
    };
    const answer = await send();
    const stale = answer.status === 401 && answer.headers.has("X-Shopify-Retry-Invalid-Session-Request");
    return stale && !init.signal?.aborted ? send() : answer;
  };
})();
