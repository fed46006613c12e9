/** Speaks to Easel's own HTTP API (same origin): JSON in and out, errors as ApiError, sign-in when it is needed. */
import { parseExact } from "./exact.js";

/** An answer that is not a success: `message` and `hint` are for people. */
export class ApiError extends Error {
  constructor({
    status,
    error,
    hint = "",
    field = null,
    code = "",
    retry_after = null,
    sign_in_url = null,
    layer = "",
  }) {
    super(error);
    this.name = "ApiError";
    Object.assign(this, { status, hint, field, code, retryAfter: retry_after, signInUrl: sign_in_url, layer });
  }
}

const UNREACHABLE = {
  status: 0,
  code: "unreachable",
  error: "Easel does not answer.",
  hint: "Check your connection; the page tries again by itself.",
};
let csrf = "";
let signingIn = null;

/** The session, fetched once; `user` is null when signed out. */
export const session = loadSession();

async function loadSession() {
  for (let wait = 500; ; wait = Math.min(wait * 2, 8000)) {
    try {
      const answer = await request("GET", "/api/session", { quiet: true });
      csrf = answer.csrf;
      return answer;
    } catch (error) {
      if (error.status === 401) {
        signIn(error.signInUrl);
        return {
          user: null,
          csrf: "",
          version: "",
          limits: {},
          open_job: null,
          discord: null,
          sign_in_url: error.signInUrl,
        };
      }
      await new Promise((done) => setTimeout(done, wait)); // the server restarts: keep trying
    }
  }
}

/** Path with a query; empty values are left out, lists repeat the name. */
export function urlOf(path, query) {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query || {})) {
    for (const one of Array.isArray(value) ? value : [value])
      if (one !== null && one !== undefined && one !== "" && one !== false) params.append(name, one);
  }
  const text = params.toString();
  return text ? `${path}?${text}` : path;
}

async function request(method, path, { body, query, headers = {}, signal, quiet = false, as = "json" } = {}) {
  const isRaw = body instanceof Blob || body instanceof ArrayBuffer;
  const all = { Accept: "application/json", ...headers };
  if (method !== "GET") all["X-CSRF"] = csrf || (path === "/api/session" ? "" : (await session).csrf);
  if (body !== undefined && !isRaw) all["Content-Type"] = "application/json";
  const plain = isRaw ? body : JSON.stringify(body); // undefined stays undefined
  let response;
  try {
    response = await fetch(urlOf(path, query), {
      method,
      headers: all,
      signal,
      body: plain,
      credentials: "same-origin",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(UNREACHABLE);
  }
  if (!response.ok) throw await failure(response, quiet);
  if (response.status === 204) return null;
  return as === "blob" ? response.blob() : parseExact(await response.text());
}

async function failure(response, quiet) {
  let answer = {};
  try {
    answer = await response.json();
  } catch {
    answer = {}; // a proxy's page, not ours
  }
  const error = new ApiError({
    error: `Easel answered with an error (${response.status}).`,
    retry_after: Number(response.headers.get("Retry-After")) || null,
    ...answer,
    status: response.status,
  });
  if (error.status === 401 && !quiet) signIn(error.signInUrl);
  return error;
}

/** Ask the visitor to sign in; one dialog however many requests were refused. */
export function signIn(url) {
  signingIn ||= import("./ui/dialog.js").then(async ({ openDialog }) => {
    const how = url
      ? "You will come back here."
      : "Ask for a link with /studio in Discord, or open the address that Easel printed when it started.";
    const actions = url
      ? [{ label: "Sign in with Discord", value: "go", kind: "primary" }]
      : [{ label: "Try again", value: "again", kind: "primary" }];
    const choice = await openDialog({
      title: "Sign in to Easel",
      body: `Your pictures and your queue are yours alone. ${how}`,
      actions,
    });
    signingIn = null;
    if (choice === "go") location.assign(url);
    else if (choice === "again") location.reload();
  });
  return signingIn;
}

/**
 * The API, with whole paths ("/api/gallery"). Each call resolves to the parsed answer (null for 204) or throws
 * ApiError.
 * Options: {headers, signal, quiet: true (no sign-in dialog), as: "blob"}.
 */
export const api = {
  get: (path, query, options = {}) => request("GET", path, { ...options, query }),
  post: (path, body = {}, options = {}) => request("POST", path, { ...options, body }),
  put: (path, body = {}, options = {}) => request("PUT", path, { ...options, body }),
  patch: (path, body = {}, options = {}) => request("PATCH", path, { ...options, body }),
  del: (path, body, options = {}) => request("DELETE", path, { ...options, body }),
  /** Send a file's bytes as the body. */
  upload: (path, blob, options = {}) =>
    request("POST", path, {
      ...options,
      body: blob,
      headers: { "Content-Type": blob.type || "application/octet-stream", ...options.headers },
    }),
};
